import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { backoffMillis } from '../../base/retry.ts'
import type { Log } from '../../base/log.ts'
import { changeFeed } from '../change-feed.ts'
import type { Hypervisor } from '../hypervisor.ts'
import { environment } from '../command.ts'
import type { Farm } from './farm.ts'
import { refOfName } from './naming.ts'
import type { LibvirtHost } from './rule.ts'
import { connection } from './virsh.ts'

/** Listens to the events of every host for as long as somebody follows them, and comes back to hosts that went silent. */
export function following(farm: Farm, log: Log): Pick<Hypervisor, 'changes'> {
  return {
    changes(signal) {
      const feed = changeFeed()
      const heard = feed.follow(signal)
      for (const { host } of farm.hosts()) {
        listen(host, (ref) => feed.tell(ref), signal).catch((error: unknown) => {
          if (!signal.aborted) log.error({ host: host.name, err: error }, 'events of a host are lost')
        })
      }
      return heard
    },
  }
}

const patience = { firstMillis: 1000, maxMillis: 60_000, spread: 0 }

async function listen(host: LibvirtHost, tell: (ref: string) => void, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    await events(
      host,
      (ref) => {
        attempt = 1
        tell(ref)
      },
      signal,
    )
    await pause(backoffMillis(attempt, patience), undefined, { signal }).catch(() => undefined)
  }
}

/** Until the connection ends, which it does when the host goes. */
async function events(host: LibvirtHost, tell: (ref: string) => void, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const words = ['-q', '-c', connection(host.uri), 'event', '--all', '--loop', '--timestamp']
  const child = spawn('virsh', words, { stdio: ['ignore', 'pipe', 'ignore'], env: environment() })
  const stop = () => child.kill('SIGKILL')
  signal.addEventListener('abort', stop, { once: true })
  const lines = createInterface({ input: child.stdout, crlfDelay: Infinity })
  lines.on('line', (line) => {
    const ref = refOfEvent(line)
    if (ref !== undefined) tell(ref)
  })
  try {
    await once(child, 'close')
  } catch {
    // It could not be started: that is told by every other call, and tried again as when the host is silent.
  } finally {
    signal.removeEventListener('abort', stop)
    lines.close()
  }
}

/** A line such as `2026-11-22 16:12:38.285+0000: event 'lifecycle' for domain 'webafs20.vm-1': Stopped Failed`. */
export function refOfEvent(line: string): string | undefined {
  const [, kind, name] = /^[^']*: event '([a-z-]+)' for domain '([^']*)'/.exec(line) ?? []
  if (kind === undefined || name === undefined || isTalk(kind)) return undefined
  return refOfName(name)
}

/** What is told many times a second while something goes on, and says nothing of what a machine is. */
function isTalk(kind: string): boolean {
  return ['migration-iteration', 'job-completed', 'rtc-change', 'balloon-change', 'metadata-change'].includes(
    kind,
  )
}
