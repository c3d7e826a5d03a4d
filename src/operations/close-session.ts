import { z } from 'zod'
import { fingerprint } from '../base/seal.ts'
import { change } from './operation.ts'
import { anybody } from './rules.ts'

export const closeSession = change({
  name: 'close-session',
  summary: 'Sign out: the token is dead from now on.',
  http: null,
  input: z.object({ token: z.string().max(200) }),
  output: z.object({}),
  allow: anybody,
  async run({ tx, caller }, { token }) {
    const session = await tx.sessions.get(fingerprint(token))
    if (session?.user === caller.user) await tx.sessions.remove(session.id)
    return {}
  },
})
