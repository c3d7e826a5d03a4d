import { z } from 'zod'

/** What `ssh-keygen -lf` prints of a host key: SHA-256 in base64 without padding (RFC 4648 §4, OpenSSH). */
const Fingerprint = z
  .string()
  .regex(
    /^SHA256:[A-Za-z0-9+/]{43}$/,
    'a fingerprint such as ssh-keygen -lf prints: SHA256: and 43 characters',
  )

/** Where a Windows server is reached, and by which key it is known: any other is refused. */
export const SshAddress = {
  address: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$/, 'a host name or an IP address'),
  port: z.number().int().min(1).max(65_535).default(22),
  fingerprint: Fingerprint,
} as const

/** As whom we log in. One of the two files is needed; a key is better, since nobody can guess it. */
export const SshLogin = z
  .strictObject({
    user: z.string().regex(/^[^\u0000-\u001f\u007f]{1,256}$/, 'an account such as CERN\\jackdaw'),
    /** A private key as OpenSSH writes it. */
    keyFile: z.string().min(1).optional(),
    /** A file whose first line is the passphrase of the key. */
    passphraseFile: z.string().min(1).optional(),
    /** A file whose first line is the password. */
    passwordFile: z.string().min(1).optional(),
  })
  .refine(({ keyFile, passwordFile }) => (keyFile === undefined) !== (passwordFile === undefined), {
    message: 'should have either keyFile or passwordFile',
  })
export type SshLogin = z.infer<typeof SshLogin>

/** A folder or a file on Windows. What `cmd.exe`, wildcards and streams would read as something else is not taken. */
export const WindowsPath = z
  .string()
  .regex(
    /^(?:[A-Za-z]:\\|\\\\[A-Za-z0-9.-]+\\)[^\u0000-\u001f\u007f<>:"|?*[\]/`]{1,220}$/,
    'a full Windows path such as D:\\Jackdaw',
  )
