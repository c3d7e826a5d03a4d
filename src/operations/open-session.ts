import { z } from 'zod'
import { instant, millis } from '../base/clock.ts'
import type { Person } from '../identity/person.ts'
import { rolesOf } from '../identity/roles.ts'
import { newSession } from '../identity/tokens.ts'
import { change } from './operation.ts'
import { InstantShape, text } from './shapes/fields.ts'
import { PersonShape, personView } from './shapes/person.ts'

const sessionHours = 12

export const openSession = change({
  name: 'open-session',
  summary: 'Sign in with a user name and a password.',
  http: { method: 'POST', path: '/session' },
  open: true,
  repeatable: true,
  input: z.object({ user: text(200), password: z.string().min(1).max(1000) }),
  output: z.object({ token: z.string(), expiresAt: InstantShape, person: PersonShape }),
  subject: ({ user }) => `person:${user.toLowerCase()}`,
  allow: () => undefined,
  ask: ({ signIn, signal }, { user, password }, caller): Promise<Person> =>
    signIn.check({ user, password, address: caller.address ?? 'unknown' }, signal),
  async run({ tx, now, ids, site }, _input, person) {
    const token = ids.secret(32)
    const expiresAt = instant(millis(now) + sessionHours * 3_600_000)
    await tx.sessions.put(newSession(token, { user: person.user, at: now, expiresAt }))
    return { token, expiresAt, person: personView({ ...person, roles: rolesOf(person, site.roles) }) }
  },
})
