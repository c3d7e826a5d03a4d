import type { Desktop } from '../../broker/desktop.ts'
import { enqueue, tell } from '../jobs/outbox.ts'
import type { Machine } from '../machines/machine.ts'
import { desktopTo, finishLease, type PoolDesk } from './desktops.ts'

export const goneFromHost = 'its host has it no more'
const silentHost = 'its host does not answer'

/** Whether a machine is out of reach since its host or its hypervisor is silent: once that answers it may be there again. */
export function isSilent(why: string | undefined): boolean {
  return why?.endsWith('does not answer') === true
}

/** That a desktop cannot be reached and why, to go after its kind: `dev-001 cannot be reached: …`. */
export function reachWords({ id, host, history }: Pick<Machine, 'id' | 'host' | 'history'>): string {
  const why = history.at(-1)?.reason
  if (why === silentHost) return `${id} cannot be reached: host ${host ?? ''} does not answer.`
  if (why === goneFromHost) return `${id} is lost: host ${host ?? ''} has it no more.`
  return `${id} cannot be reached: ${why ?? 'it does not answer'}.`
}

/**
 * A desktop is lost to whoever uses it: the session ends and says so. A shared one that is gone leaves the books, and the
 * pool makes another. One that may come back is set aside meanwhile; so is a person's own even when it is gone, since a
 * new one in its place would hide that their work is missing.
 */
export async function loseDesktop(
  desk: PoolDesk,
  desktop: Desktop,
  why: string,
  { isGone }: { isGone: boolean },
): Promise<void> {
  const { tx, site } = desk
  const lease = desktop.lease === null ? undefined : await tx.leases.get(desktop.lease)
  if (isGone && desktop.person === null) await tx.desktops.remove(desktop.id)
  else {
    await tx.desktops.put({ ...desktopTo(desktop, 'quarantined', desk, why), lease: null })
    if (isGone) {
      const about = { kind: 'machine', id: desktop.id } as const
      const text = `Desktop ${desktop.id} of ${desktop.person ?? 'nobody'} is lost: ${why}. It is set aside.`
      await tell(desk, { kind: 'machine-failed', about, to: [...site.roles.operator], text })
    }
  }
  if (lease !== undefined) await finishLease(desk, lease, 'desktop_lost')
}

/** A desktop whose host is silent goes to nobody; one that somebody holds is left to them, as it may still run. */
export async function setAsideUnheld(desk: PoolDesk, desktop: Desktop, why: string): Promise<void> {
  if (desktop.state !== 'spare' && desktop.state !== 'stored') return
  await desk.tx.desktops.put(desktopTo(desktop, 'quarantined', desk, why))
}

/** A desktop that was set aside and is heard of again: cleaned before it goes to anybody, or its person's as before. */
export async function takeBack(desk: PoolDesk, desktop: Desktop): Promise<void> {
  const why = desktop.history.at(-1)?.reason
  if (desktop.state !== 'quarantined' || (!isSilent(why) && why !== goneFromHost)) return
  if (desktop.person !== null)
    return desk.tx.desktops.put(desktopTo(desktop, 'idle', desk, 'it is there again'))
  await desk.tx.desktops.put(desktopTo(desktop, 'resetting', desk, 'it is there again'))
  const facts = { subject: `machine:${desktop.id}`, by: 'jackdaw' }
  await enqueue(desk, 'reset-desktop', { desktop: desktop.id, lease: null }, facts)
}
