/** A browser without scripts: it follows redirects, keeps cookies and sends the forms of the page that it is on. */
export interface Browser {
  /** The page it is on, as HTML. */
  readonly html: string
  /** The text of the page as a person reads it, on one line. */
  readonly text: string
  readonly headers: Headers
  /** As it would send them. */
  readonly cookies: string
  readonly bytes: Buffer
  open(path: string): Promise<void>
  /** Sends the form that has this button, its fields filled in. The last such form counts: the newest card. */
  submit(button: string, fields?: Record<string, string>): Promise<void>
  /** Follows the link with this text. */
  follow(text: string): Promise<void>
}

export function openBrowser(url: string): Browser {
  const cookies = new Map<string, string>()
  let at = { path: '/', html: '', headers: new Headers(), bytes: Buffer.alloc(0) }

  async function go(method: string, path: string, body?: URLSearchParams): Promise<void> {
    const response = await fetch(new URL(path, url), {
      method,
      redirect: 'manual',
      headers: {
        Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        Accept: 'text/html,*/*',
        Origin: url,
        ...(body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }),
      },
      ...(body === undefined ? {} : { body: body.toString() }),
    })
    for (const cookie of response.headers.getSetCookie()) keep(cookies, cookie)
    const next = response.headers.get('location')
    const bytes = Buffer.from(await response.arrayBuffer())
    if (next !== null && response.status >= 300 && response.status < 400) {
      await go('GET', next)
      return
    }
    at = { path, html: bytes.toString('utf8'), headers: response.headers, bytes }
  }

  return {
    get html() {
      return at.html
    },
    get text() {
      return textOf(at.html)
    },
    get cookies() {
      return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    },
    get headers() {
      return at.headers
    },
    get bytes() {
      return at.bytes
    },
    open: (path) => go('GET', path),
    submit: async (button, fields = {}) => {
      const form = formsOf(at.html).findLast(({ buttons }) => buttons.includes(button))
      if (form === undefined) throw new Error(`There is no button ${button} on: ${textOf(at.html)}`)
      const sent = new URLSearchParams({ ...form.fields, ...fields })
      if (form.method === 'get') await go('GET', `${form.action}?${sent.toString()}`)
      else await go('POST', form.action === '' ? at.path : form.action, sent)
    },
    follow: async (text) => {
      const links = [...at.html.matchAll(/<a\b([^>]*)>(.*?)<\/a>/gs)]
      const link = links.find(([, , inner]) => textOf(inner ?? '') === text)
      if (link === undefined) throw new Error(`There is no link ${text} on: ${textOf(at.html)}`)
      await go('GET', attribute(link[1] ?? '', 'href') ?? '/')
    },
  }
}

function keep(cookies: Map<string, string>, header: string): void {
  const [pair = ''] = header.split(';')
  const [name = '', value = ''] = pair.split('=')
  if (value === '' || /expires=Thu, 01 Jan 1970/i.test(header)) cookies.delete(name)
  else cookies.set(name, value)
}

interface Form {
  method: string
  action: string
  fields: Record<string, string>
  buttons: string[]
}

function formsOf(html: string): Form[] {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, tag = '', inner = '']) => ({
    method: attribute(tag, 'method') ?? 'get',
    action: attribute(tag, 'action') ?? '',
    fields: fieldsOf(inner),
    buttons: buttonsOf(inner),
  }))
}

function buttonsOf(html: string): string[] {
  const buttons = [...html.matchAll(/<button\b[^>]*>(.*?)<\/button>/gs)].map(([, inner]) =>
    textOf(inner ?? ''),
  )
  const inputs = [...html.matchAll(/<input\b([^>]*type="submit"[^>]*)>/g)]
  return [...buttons, ...inputs.map(([, tag]) => attribute(tag ?? '', 'value') ?? '')]
}

function fieldsOf(html: string): Record<string, string> {
  const inputs = [...html.matchAll(/<input\b([^>]*)>/g)].flatMap(([, tag = '']): [string, string][] => {
    const name = attribute(tag, 'name')
    const chosen = !/type="(radio|checkbox)"/.test(tag) || /\bchecked\b/.test(tag)
    return name === undefined || !chosen ? [] : [[name, attribute(tag, 'value') ?? '']]
  })
  const selects = [...html.matchAll(/<select\b([^>]*)>(.*?)<\/select>/gs)].flatMap(
    ([, tag = '', inner = '']): [string, string][] => {
      const options = [...inner.matchAll(/<option\b([^>]*)>/g)].map(([, option]) => option ?? '')
      const chosen = options.find((option) => /\bselected\b/.test(option)) ?? options[0] ?? ''
      const name = attribute(tag, 'name')
      return name === undefined ? [] : [[name, attribute(chosen, 'value') ?? '']]
    },
  )
  return Object.fromEntries([...inputs, ...selects])
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1]
  return value === undefined ? undefined : decode(value)
}

function textOf(html: string): string {
  const words = html.replace(/<(script|style)\b.*?<\/\1>/gs, ' ').replace(/<[^>]+>/g, ' ')
  return decode(words).replace(/\s+/g, ' ').trim()
}

function decode(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ' }
  return text.replace(/&(#x?[0-9a-f]+|\w+);/gi, (whole, entity: string) => {
    if (entity.startsWith('#x')) return String.fromCodePoint(parseInt(entity.slice(2), 16))
    if (entity.startsWith('#')) return String.fromCodePoint(Number(entity.slice(1)))
    return named[entity] ?? whole
  })
}
