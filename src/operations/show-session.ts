import { z } from 'zod'
import { query } from './operation.ts'
import { anybody } from './rules.ts'
import { PersonShape, personView } from './shapes/person.ts'

export const showSession = query({
  name: 'show-session',
  summary: 'Show who is signed in.',
  http: { method: 'GET', path: '/session' },
  input: z.object({}),
  output: z.object({ person: PersonShape }),
  allow: anybody,
  run: async ({ caller }) => ({ person: personView(caller) }),
})
