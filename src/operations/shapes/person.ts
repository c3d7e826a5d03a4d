import { z } from 'zod'
import type { Person, Role } from '../../identity/person.ts'

export const PersonShape = z.object({
  user: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  groups: z.array(z.string()),
  roles: z.array(z.enum(['operator', 'auditor'])),
})

export function personView(person: Person & { roles: readonly Role[] }): z.infer<typeof PersonShape> {
  const { user, name, email, groups, roles } = person
  return { user, name, email, groups: [...groups], roles: [...roles] }
}
