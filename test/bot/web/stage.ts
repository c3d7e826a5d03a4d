import { z } from 'zod'
import { plusMillis } from '../../../src/base/clock.ts'
import type { ChatStage, SeenCard } from '../../contracts/chat-scenarios.ts'
import { openStorySite, type StorySite } from '../../stories/site.ts'

/** The built-in chat as a browser without scripts uses it. */
export async function openWebStage(): Promise<ChatStage> {
  const site = await openStorySite()
  const sessions = new Map<string, string>()
  let sent = 0

  async function ask(user: string, path: string, fields?: Record<string, string>): Promise<string> {
    const token = sessions.get(user) ?? (await signIn(site, user))
    sessions.set(user, token)
    // Lines of one instant stand in no order that a reader could rely on.
    if (fields !== undefined) site.clock.set(plusMillis(site.clock.now(), 1))
    const response = await fetch(site.url + path, {
      redirect: 'manual',
      headers: { Cookie: `jackdaw_session=${token}`, Origin: site.url, Accept: 'text/html' },
      ...(fields === undefined ? {} : { method: 'POST', body: new URLSearchParams(fields) }),
    })
    // Days have gone by, and the session with them.
    if (response.headers.get('location')?.startsWith('/?next') !== true) return response.text()
    sessions.delete(user)
    return ask(user, path, fields)
  }
  const lines = (user: string) => ask(user, '/chat/messages')

  return {
    platform: 'web',
    site,
    async say(user, line) {
      sent += 1
      await ask(user, '/chat/say', { line, key: `k${sent}` })
    },
    async press(user, card, label, answer) {
      const form = formOf(card, label)
      await ask(user, '/chat/press', { ...form, ...(answer === undefined ? {} : { answer }) })
    },
    async submit(user, card, fields) {
      const known = Object.fromEntries(card.fields.map(({ name, value }) => [`field.${name}`, value]))
      const changed = Object.entries(fields).map(([name, value]): [string, string] => [
        `field.${name}`,
        value,
      ])
      await ask(user, '/chat/submit', { ...formOf(card, ''), ...known, ...Object.fromEntries(changed) })
    },
    cards: async (user) => cardsIn(await lines(user)),
    close: () => site.close(),
  }
}

async function signIn(site: StorySite, user: string): Promise<string> {
  const response = await fetch(`${site.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ user, password: user }),
  })
  return z.object({ token: z.string() }).parse(await response.json()).token
}

/** What the forms of a card send besides what is typed, by the label of their button; '' is the card's own form. */
const forms = new WeakMap<SeenCard, Map<string, Record<string, string>>>()

function formOf(card: SeenCard, label: string): Record<string, string> {
  const found = [...(forms.get(card) ?? [])].find(([name]) =>
    label === '' ? name === '' : name.startsWith(label),
  )
  if (found === undefined) throw new Error(`no button ${label} on: ${card.text}`)
  return found[1]
}

function cardsIn(html: string): SeenCard[] {
  return [...html.matchAll(/<article class="line by-jackdaw" data-id="([^"]*)"(.*?)<\/article>/gs)].map(
    ([, id = '', inner = '']) => cardIn(id, inner),
  )
}

function cardIn(id: string, html: string): SeenCard {
  const body = /<div class="card .*(?=<time)/s.exec(html)?.[0] ?? ''
  const own = /<form class="card-form".*?<\/form>/s.exec(body)?.[0] ?? ''
  const buttons = [...body.matchAll(/<form method.*?<\/form>/gs)].map(([form]) => form)
  const labels = buttons.map((form) => textOf(/<button[^>]*>(.*?)<\/button>/s.exec(form)?.[1] ?? ''))
  const chart = /<svg class="plot"[^>]*aria-label="([^"]*)"/.exec(body)?.[1]
  const card: SeenCard = {
    id,
    text: textOf(body.replace(/<option.*?<\/option>/gs, ' ')),
    buttons: labels,
    fields: fieldsIn(own),
    chart: chart === undefined ? null : decoded(chart),
  }
  const sending = new Map(labels.map((label, index) => [label, hidden(buttons[index] ?? '')]))
  if (own !== '') sending.set('', hidden(own))
  forms.set(card, sending)
  return card
}

function hidden(form: string): Record<string, string> {
  const inputs = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
  return Object.fromEntries(inputs.map(([, name = '', value = '']) => [name, decoded(value)]))
}

function fieldsIn(form: string): SeenCard['fields'] {
  return [...form.matchAll(/<div class="card-field[^>]*>(.*?)<\/div>/gs)].map(([, field = '']) => {
    const name = /name="field\.([^"]*)"/.exec(field)?.[1] ?? ''
    const chosen = /<option(?=[^>]* selected)[^>]*value="([^"]*)"/.exec(field)?.[1]
    const typed = /<input[^>]*? value="([^"]*)"/.exec(field)?.[1]
    const error = /<small[^>]*class="card-error"[^>]*>(.*?)<\/small>/s.exec(field)?.[1]
    const value = decoded(chosen ?? typed ?? '')
    return { name, value, ...(error === undefined ? {} : { error: textOf(error) }) }
  })
}

function textOf(html: string): string {
  return decoded(html.replace(/<[^>]+>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim()
}

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  nbsp: ' ',
}

function decoded(text: string): string {
  return text.replace(/&(#?\w+);/g, (whole, name: string) => named[name] ?? whole)
}
