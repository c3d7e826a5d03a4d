import { z } from 'zod'
import type { Directory } from './directory.ts'
import { local, LocalUser } from './local.ts'

/** Where the site's people come from. */
export const IdentityRule = z.strictObject({ local: z.array(LocalUser).min(1) })
export type IdentityRule = z.infer<typeof IdentityRule>

/** Opens the directory that the site's file describes. The only list of directories. */
export async function openDirectory(rule: IdentityRule): Promise<Directory> {
  return local(rule.local)
}
