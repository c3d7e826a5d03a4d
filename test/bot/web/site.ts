import express from 'express'
import { renderToString } from 'preact-render-to-string'
import { webChat } from '../../../bot/web/web.ts'
import { checkOrigin } from '../../../src/api/callers.ts'
import { problemHandler } from '../../../src/api/problem.ts'
import { listen } from '../../../src/api/server.ts'
import { silentLog } from '../../../src/base/log.ts'
import { openRig, type Rig } from '../rig.ts'

/** The built-in chat on a real port. Whoever is named in the header `test-user` is signed in. */
export interface WebSite extends Rig {
  url: string
  get(user: string | null, path: string): Promise<Response>
  /** Sends a form as a browser does, without following where it leads. */
  post(
    user: string,
    path: string,
    fields: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<Response>
  /** The conversation of somebody, as HTML. */
  lines(user: string): Promise<string>
  /** Tells the pages of somebody that their conversation has changed. */
  changed(user: string): void
  close(): Promise<void>
}

export async function openWebSite(): Promise<WebSite> {
  const rig = await openRig()
  const { operations, clock, config, conversation } = rig
  let listener: (user: string) => void = () => undefined
  const { chat, faces } = webChat({
    ...{ operations, site: config.site, clock, conversation, checkOrigin },
    callerOf: async (request) => {
      const user = request.get('test-user')
      return user === undefined ? undefined : rig.as(user)
    },
    layout: ({ title, body }) => `<title>${title}</title>${renderToString(body)}`,
    onMessages: (next) => {
      listener = next
      return () => undefined
    },
  })
  const app = express()
  for (const { path, router } of faces) app.use(path, router)
  app.use(problemHandler(silentLog))
  const server = await listen(app, { host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${server.port}`
  const as = (user: string | null): Record<string, string> => (user === null ? {} : { 'test-user': user })
  return {
    ...rig,
    url,
    changed: (user) => listener(user),
    get: (user, path) => fetch(url + path, { headers: as(user), redirect: 'manual' }),
    post: (user, path, fields, headers = { 'Sec-Fetch-Site': 'same-origin' }) =>
      fetch(url + path, {
        method: 'POST',
        headers: { ...as(user), ...headers },
        body: new URLSearchParams(fields),
        redirect: 'manual',
      }),
    lines: async (user) => (await fetch(`${url}/chat/messages`, { headers: as(user) })).text(),
    async close() {
      await chat.close()
      await server.close(0)
      await rig.close()
    },
  }
}

/** The hidden fields of the form whose button says this, as the page has them. */
export function formWith(html: string, button: string): Record<string, string> {
  const forms = html.split('<form').filter((form) => form.includes(`>${button}</button>`))
  const form = forms.at(-1)
  if (form === undefined) throw new Error(`no form with ${button} in: ${html}`)
  const inputs = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
  return Object.fromEntries(inputs.map(([, name = '', value = '']) => [name, unescaped(value)]))
}

function unescaped(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&')
}
