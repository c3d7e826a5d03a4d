import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { Outage } from './errors.ts'

/** Where a secret of the site's file is: a variable of the environment, or a file that holds nothing else. */
export const SecretRule = z.union([
  z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/) }),
  z.strictObject({ file: z.string().min(1) }),
])
export type SecretRule = z.infer<typeof SecretRule>

/** The secret itself, never to be logged. @throws Outage `secret_missing`, which says where it was looked for. */
export async function secretOf(
  rule: SecretRule,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const text = 'env' in rule ? (env[rule.env] ?? '') : await contentOf(rule.file)
  if (text !== '') return text
  const place = 'env' in rule ? `The variable ${rule.env}` : `The file ${rule.file}`
  throw new Outage('secret_missing', `${place} holds no secret.`, { transient: false })
}

async function contentOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Outage('secret_missing', `The file ${file} cannot be read.`, { transient: false, cause })
  })
  return text.trim()
}
