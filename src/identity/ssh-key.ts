import { createHash } from 'node:crypto'
import { z } from 'zod'
import { hasControl } from '../base/text.ts'

/** What OpenSSH takes (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"). DSA is not among it any more. */
const types = [
  'ssh-ed25519',
  'ssh-rsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
]

interface Parts {
  type: string
  blob: Buffer
  comment: string
}

/** A public key as `ssh-keygen` writes it: its type, the key in base64, and perhaps a comment. Options are refused. */
export const PublicKey = z
  .string()
  .trim()
  .max(8192)
  .refine(
    (line) => partsOf(line) !== undefined,
    'a public key of OpenSSH in one line, such as the one in ~/.ssh/id_ed25519.pub',
  )

/** What people know a key by: its type, its comment and its fingerprint as `ssh-keygen -l` prints it. */
export interface KeyFacts {
  type: string
  fingerprint: string
  comment: string
}

/** Nothing when the line is no public key. */
export function keyFacts(line: string): KeyFacts | undefined {
  const parts = partsOf(line)
  if (parts === undefined) return undefined
  const { type, blob, comment } = parts
  const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')
  return { type, fingerprint: `SHA256:${digest}`, comment }
}

/** The type stands a second time in the blob itself (RFC 4253 §6.6), so that a cut or mixed up key shows. */
function partsOf(line: string): Parts | undefined {
  if (hasControl(line)) return undefined
  const [type = '', base64 = '', ...words] = line.trim().split(/ +/)
  if (!types.includes(type) || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined
  const blob = Buffer.from(base64, 'base64')
  if (blob.length < 4 + type.length + 32) return undefined
  const isWhole = blob.readUInt32BE(0) === type.length && blob.toString('latin1', 4, 4 + type.length) === type
  return isWhole ? { type, blob, comment: words.join(' ') } : undefined
}
