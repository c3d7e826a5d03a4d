import type { Response } from 'express'

/** How many pages of one person are told at once; older ones fall away, and their browsers come back. */
const mostPerPerson = 12
const heartbeatMillis = 25_000

/** Open pages that want to hear of changes (Server-Sent Events, HTML Living Standard §9.2). */
export interface Streams {
  open(user: string, response: Response): void
  changed(user: string): void
  close(): void
}

export function openStreams(): Streams {
  const byUser = new Map<string, Set<Response>>()
  // A proxy cuts a connection on which nothing is said for a while.
  const heartbeat = setInterval(() => {
    for (const responses of byUser.values())
      for (const response of responses) response.write(': still here\n\n')
  }, heartbeatMillis)
  heartbeat.unref()

  function forget(user: string, response: Response): void {
    const responses = byUser.get(user)
    responses?.delete(response)
    if (responses?.size === 0) byUser.delete(user)
  }

  return {
    open(user, response) {
      const responses = byUser.get(user) ?? new Set()
      byUser.set(user, responses.add(response))
      const [oldest] = responses
      if (responses.size > mostPerPerson && oldest !== undefined) {
        forget(user, oldest)
        oldest.end()
      }
      response.on('close', () => forget(user, response))
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
        'X-Accel-Buffering': 'no',
      })
      // Whatever changed while the page was without a stream is fetched at once.
      response.write('retry: 3000\n\nevent: changed\ndata: 1\n\n')
    },
    changed(user) {
      for (const response of byUser.get(user) ?? []) response.write('event: changed\ndata: 1\n\n')
    },
    close() {
      clearInterval(heartbeat)
      for (const responses of byUser.values()) for (const response of responses) response.end()
      byUser.clear()
    },
  }
}
