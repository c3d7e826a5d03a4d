import { z } from 'zod'

const Attribute = z.string().regex(/^[a-z][a-z0-9-]*$/i, 'the name of an attribute')

/** How the site's directory is reached and read, as the site's file says it. */
export const LdapRule = z
  .strictObject({
    /** `ldaps://host` or, with `startTls`, `ldap://host`. */
    url: z
      .string()
      .regex(/^ldaps?:\/\/[^\s/@?#]+\/?$/i, 'the address of a directory, such as ldaps://dc1.example.org'),
    startTls: z.boolean().default(false),
    /** A file with the certificates (PEM) of those who vouch for the directory, where this machine does not know them. */
    caFile: z.string().min(1).optional(),
    /** `ad` is Active Directory or Samba; `ldap` is any other, such as OpenLDAP. */
    kind: z.enum(['ldap', 'ad']).default('ldap'),
    baseDn: z.string().min(3).max(500),
    /** Where groups are, if not under `baseDn`. */
    groupBaseDn: z.string().min(3).max(500).optional(),
    /** Who we search as. AD takes `name@domain` too. */
    bindDn: z.string().min(1).max(500),
    bindPasswordFile: z.string().min(1),
    /** The attribute with the account name; `uid`, and in AD `sAMAccountName`, unless said otherwise. */
    userAttribute: z
      .string()
      .regex(/^[a-z][a-z0-9-]*$/i)
      .optional(),
    nameAttribute: z
      .string()
      .regex(/^[a-z][a-z0-9-]*$/i)
      .optional(),
    /** Attributes with the accounts that people have on chat platforms, where the directory keeps those. */
    accountAttributes: z
      .strictObject({ slack: Attribute.optional(), mattermost: Attribute.optional() })
      .prefault({}),
    /** The attribute with people's OpenSSH public keys (openssh-lpk). */
    keyAttribute: Attribute.default('sshPublicKey'),
    /** Answers about who is in which group are used again for so long. */
    rememberSeconds: z.number().int().min(0).max(3600).default(60),
  })
  .superRefine(({ url, startTls }, context) => {
    if (isSafe(url, startTls)) return
    const message = 'should begin with ldaps:// or stand beside startTls: true, since passwords go there'
    context.addIssue({
      code: 'custom',
      path: ['url'],
      message,
      params: { wrong: 'sends passwords in the clear' },
    })
  })
export type LdapRule = z.infer<typeof LdapRule>

/** In the clear only where nobody can listen. */
function isSafe(url: string, startTls: boolean): boolean {
  return (
    /^ldaps:/i.test(url) || startTls || /^ldap:\/\/(127(\.\d+){3}|localhost|\[::1\])(:\d+)?\/?$/i.test(url)
  )
}
