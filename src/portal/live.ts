import type { RequestHandler } from 'express'
import { callerOf } from './session.ts'
import type { PortalServices } from './visit.ts'

/** Which parts of which pages show a collection. The names are events in the browser. */
const topics: Readonly<Record<string, readonly string[]>> = {
  machines: ['machines', 'desktops', 'hosts'],
  jobs: ['machines', 'desktops'],
  requests: ['requests'],
  accounts: ['budgets'],
  hosts: ['hosts'],
  leases: ['desktops', 'terminals'],
  terminals: ['terminals'],
  desktops: ['desktops'],
  pools: ['desktops'],
}
const everything = [...new Set(Object.values(topics).flat())]

/** Changes that come together are told together, so that a page is drawn at most so often. */
const gatherMillis = 250
/** Often enough that no proxy takes the line for dead; each time it is asked whether the session still lives. */
const beatMillis = 25_000

/**
 * `/events` (Server-Sent Events, WHATWG HTML §9.2): tells a page that something changed, never what. What it may see of
 * that it asks for itself.
 */
export function live(services: Pick<PortalServices, 'callers' | 'onChange'>): RequestHandler {
  return async (request, response) => {
    if ((await callerOf(request, services.callers)) === null) {
      response.status(401).end()
      return
    }
    response.status(200).setHeader('Content-Type', 'text/event-stream').setHeader('Cache-Control', 'no-store')
    response.flushHeaders()
    let number = 0
    const waiting = new Set<string>()
    let gathering: NodeJS.Timeout | undefined

    function tell(): void {
      gathering = undefined
      for (const topic of waiting) response.write(`id: ${++number}\nevent: ${topic}\ndata: changed\n\n`)
      waiting.clear()
    }
    function gather(names: readonly string[]): void {
      for (const name of names) waiting.add(name)
      if (waiting.size > 0) gathering ??= setTimeout(tell, gatherMillis)
    }
    const unsubscribe = services.onChange((changes) =>
      gather(changes.flatMap(({ collection }) => topics[collection] ?? [])),
    )
    const beat = setInterval(() => {
      callerOf(request, services.callers).then(
        (caller) => (caller === null ? response.end() : response.write(': still here\n\n')),
        () => response.end(),
      )
    }, beatMillis)
    response.on('close', () => {
      unsubscribe()
      clearInterval(beat)
      clearTimeout(gathering)
    })
    response.write(': hello\n\n')
    // It was connected before: what it missed meanwhile may be anything.
    if (request.get('Last-Event-ID') !== undefined) gather(everything)
  }
}
