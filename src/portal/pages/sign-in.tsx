import { Router } from 'express'
import { Outage, Refusal } from '../../base/errors.ts'
import { posted, send, sendTrouble } from '../serve.tsx'
import { callerOf, keepSession, openFor, stopSession } from '../session.ts'
import { fieldsOf, localPath, type PortalServices } from '../visit.ts'
import { Logo } from '../logo.tsx'
import { Refused } from './trouble.tsx'

/** Signing in and out. The sign-in page is `/` for whoever is not signed in. */
export function signInPages(services: PortalServices): Router {
  const router = Router()
  router.get('/', async (request, response, next) => {
    const goOn = localPath(fieldsOf(request.query).get('next'))
    const person = await callerOf(request, services.callers)
    if (person !== null && goOn === '/') {
      next()
      return
    }
    const body = <SignIn site={services.site.name} next={goOn} />
    const page = { title: 'Sign in', current: '/', body }
    send(services, response, null, person === null ? page : { redirect: goOn })
  })
  router.get('/sign-in', (_request, response) => response.redirect(303, '/'))
  router.post('/sign-in', ...posted(services), async (request, response) => {
    const form = fieldsOf(request.body)
    const claim = { user: form.get('user') ?? '', password: form.exact('password') }
    const next = localPath(form.get('next'))
    try {
      const opened = await openFor(services, request, claim)
      await keepSession(services, { request, response }, opened, 'own')
      send(services, response, null, { redirect: next })
    } catch (error) {
      if (!(error instanceof Refusal)) {
        sendTrouble(services, request, response, error, null)
        return
      }
      const refusal = error.code === 'invalid_input' ? emptyClaim() : error
      if (refusal.extras.retryAfterSeconds !== undefined) {
        response.setHeader('Retry-After', String(refusal.extras.retryAfterSeconds))
      }
      const body = <SignIn site={services.site.name} next={next} user={claim.user} refusal={refusal} />
      send(services, response, null, { title: 'Sign in', current: '/', body, status: refusal.status })
    }
  })
  router.post('/sign-out', ...posted(services), async (request, response) => {
    await stopSession(services, { request, response }).catch((error: unknown) => {
      // The cookie is taken back all the same; the session that it named ends by itself.
      if (!(error instanceof Outage)) throw error
    })
    send(services, response, null, { redirect: '/' })
  })
  return router
}

function emptyClaim(): Refusal {
  return new Refusal('bad_credentials', 'Type both your user name and your password.')
}

interface SignInProps {
  site: string
  next: string
  user?: string
  refusal?: Refusal
}

export function SignIn({ site, next, user = '', refusal }: SignInProps) {
  return (
    <article class="sign-in">
      <header>
        <Logo />
        <h1>{site}</h1>
      </header>
      <Refused refusal={refusal} />
      <form method="post" action="/sign-in">
        <input type="hidden" name="next" value={next} />
        <label>
          User name
          <input
            name="user"
            value={user}
            required
            autocomplete="username"
            autocapitalize="none"
            autofocus={user === ''}
          />
        </label>
        <label>
          Password
          <input
            name="password"
            type="password"
            required
            autocomplete="current-password"
            autofocus={user !== ''}
          />
        </label>
        <button type="submit">Sign in</button>
      </form>
      <p>
        <small>
          Servers on request, and desktops for thin clients. At a terminal, use{' '}
          <a href="/desktop">the desktop page</a>.
        </small>
      </p>
    </article>
  )
}
