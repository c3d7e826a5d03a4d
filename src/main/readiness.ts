import type { Chat } from '../../bot/chat.ts'
import type { Readiness } from '../api/server.ts'
import type { Tools } from '../jobs/trade.ts'
import type { Store } from '../store/store.ts'

/** Whether the service can do its work. Chat platforms that are down only make it slower to tell people. */
export async function readinessOf({
  store,
  hypervisors,
  chats,
}: {
  store: Store
  hypervisors: Tools['hypervisors']
  chats: readonly Chat[]
}): Promise<Readiness> {
  // Whoever is told that we are not ready sends nobody who would write: we try ourselves.
  if (!store.health().writable) await store.transact(() => Promise.resolve()).catch(() => undefined)
  const health = store.health()
  const hosts = await store.read((tx) => tx.hosts.all())
  const answers = (name: string): boolean =>
    hosts.some((host) => host.hypervisor === name && host.state !== 'down')
  const drivers = [...hypervisors.keys()].map((name): [string, string] => [
    `hypervisor ${name}`,
    answers(name) ? 'answers' : 'does not answer',
  ])
  const storeSays = health.writable
    ? 'takes writes'
    : `cannot write: ${health.reason ?? 'no reason was given'}`
  const talks = chats
    .map((chat) => ({ platform: chat.platform, ...chat.status() }))
    .filter(({ platform }) => platform !== 'web')
  const platforms = talks.map(({ platform, state, detail }): [string, string] => [
    `chat ${platform}`,
    state === 'up' ? 'answers' : detail,
  ])
  return {
    ready: health.writable,
    // What a platform that is down should have been told waits for it.
    degraded: talks.filter(({ state }) => state !== 'up').map(({ platform }) => platform),
    parts: { store: storeSays, ...Object.fromEntries([...drivers, ...platforms]) },
  }
}
