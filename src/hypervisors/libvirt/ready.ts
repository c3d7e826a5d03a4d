import { setTimeout as pause } from 'node:timers/promises'
import type { Farm, Found } from './farm.ts'
import type { LibvirtTemplate } from './rule.ts'
import { seedKind } from './seed.ts'

const lookAgainMillis = 700

/**
 * Waits until the owner can get in, as far as that can be told: the guest agent answers and knows the owner's account, or
 * the machine has its address. A guest without an agent whose address is its name is ready when it runs.
 */
export async function untilReady(
  farm: Farm,
  found: Found,
  template: LibvirtTemplate | undefined,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    if (await isReady(farm, found, template, signal)) return
    await pause(lookAgainMillis, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

async function isReady(
  farm: Farm,
  found: Found,
  template: LibvirtTemplate | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const now = await farm.machine(found.ref, signal)
  // Stopped meanwhile, it will not become ready by waiting; whoever looks next sees it as it is.
  if (now.power !== 'running' || template === undefined) return true
  if (!template.agent) return (await farm.status(now, signal)).address !== null
  if ((await answers(now, signal)) === false) return false
  return (await knowsOwner(now, template, signal)) && (await farm.status(now, signal)).address !== null
}

/** Whether the agent in the guest answers; null where the machine has none. */
export async function answers({ at, uuid }: Found, signal: AbortSignal): Promise<boolean | null> {
  const { texts, errors } = await at.ask(signal, [
    `qemu-agent-command ${uuid} --timeout 3 --cmd '{"execute":"guest-ping"}'`,
  ])
  if (texts[0] !== null) return true
  return /agent is not configured|not supported/i.test(errors) ? null : false
}

/** Whether what its first boot was told has been done: the owner's account is there. An agent that will not say is believed. */
async function knowsOwner(found: Found, template: LibvirtTemplate, signal: AbortSignal): Promise<boolean> {
  const { kept, at, uuid } = found
  const owner = kept?.administrators[0]
  if (kept === undefined || owner === undefined || seedKind(template, kept) !== 'nocloud') return true
  const said = await at
    .call(signal, ['get-user-sshkeys', '--domain', uuid, '--user', owner.user])
    .then(() => '')
    .catch((error: unknown) => {
      signal.throwIfAborted()
      return error instanceof Error ? error.message : ''
    })
  return !/passwd entry|lookup user|not connected|not responding/i.test(said)
}
