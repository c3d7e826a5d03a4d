import { z } from 'zod'
import { fingerprint } from '../base/seal.ts'
import { refuse } from '../base/errors.ts'
import { query } from './operation.ts'

/** For the faces: whose session a token is. Who that person is now, the directory says. */
export const findSession = query({
  name: 'find-session',
  summary: 'Find whose session a token is.',
  http: null,
  open: true,
  input: z.object({ token: z.string().max(200) }),
  output: z.object({ user: z.string() }),
  allow: () => undefined,
  async run({ tx, now }, { token }) {
    const session = await tx.sessions.get(fingerprint(token))
    if (session === undefined || session.expiresAt <= now) {
      refuse('not_signed_in', 'Your session has ended. Sign in again.')
    }
    return { user: session.user }
  },
})
