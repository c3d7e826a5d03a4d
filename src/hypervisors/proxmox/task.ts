import type { ProxmoxClient } from './client.ts'
import { MaybeUpid, Nothing, TaskLog, TaskStatus } from './answers.ts'
import { taskFailure } from './failures.ts'

export type Sleep = (millis: number, signal: AbortSignal) => Promise<void>

export interface TaskTools {
  client: ProxmoxClient
  sleep: Sleep
}

const firstPauseMillis = 200
const longestPauseMillis = 2000
const stopMillis = 5000

/** `UPID:NODE:PID:PSTART:START:TYPE:ID:USER:`, numbers in base 16. */
const upidShape =
  /^UPID:([a-zA-Z0-9-]+):[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:([^:\s/]+):[^:\s/]*:[^:\s/]+:$/i

/**
 * What may be broken off: these clean up after themselves. Others would leave the machine locked for an administrator to
 * unlock, so they are left to end, and the next call finds the lock until they have.
 */
const breakable = new Set(['qmclone', 'qmigrate', 'qmshutdown', 'qmcreate'])

/**
 * Waits until a task has ended.
 * @param ref the machine it is for, for the words of an outage
 * @param heard is told each line of its log, where somebody wants to know
 * @throws Outage with the task's exit status when it failed. Warnings are none.
 */
export async function finished(
  { client, sleep }: TaskTools,
  upid: string | null | undefined,
  ref: string,
  signal: AbortSignal,
  heard?: (line: string) => void,
): Promise<void> {
  if (upid === null || upid === undefined || upid === '') return
  const [, node = '', type = ''] = upidShape.exec(upid) ?? []
  const path = `/nodes/${node}/tasks/${encodeURIComponent(upid)}`
  let pause = firstPauseMillis
  let line = 0
  for (;;) {
    const task = await patient(
      signal,
      () => brokenOff(client, path, type, sleep),
      async () => {
        if (heard !== undefined) line = await hear(client, path, line, signal, heard)
        return client.get(`${path}/status`, TaskStatus, signal)
      },
    )
    if (task.status === 'stopped') {
      const exit = task.exitstatus ?? 'unexpected status'
      if (exit === 'OK' || exit.startsWith('WARNINGS')) return
      const lastLine = await client.get(`${path}/log`, TaskLog, signal, { start: 0, limit: 500 }).then(
        (log) => log.at(-1)?.t,
        () => undefined,
      )
      throw taskFailure({ hypervisor: client.name, type, ref, exit, lastLine })
    }
    await patient(
      signal,
      () => brokenOff(client, path, type, sleep),
      () => sleep(pause, signal),
    )
    pause = Math.min(longestPauseMillis, pause * 1.5)
  }
}

/** Starts a task and waits for it: an answer without a task is one that has ended already. */
export async function run(
  tools: TaskTools,
  call: { method: 'post' | 'put' | 'delete'; path: string; params?: Parameters<ProxmoxClient['post']>[3] },
  ref: string,
  signal: AbortSignal,
  heard?: (line: string) => void,
): Promise<void> {
  const upid = await tools.client[call.method](call.path, MaybeUpid, signal, call.params)
  await finished(tools, upid, ref, signal, heard)
}

/** Does something, and lets go of the task first when the caller has given up. */
async function patient<T>(
  signal: AbortSignal,
  letGo: () => Promise<void>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (signal.aborted) await letGo()
    signal.throwIfAborted()
    throw error
  }
}

async function hear(
  client: ProxmoxClient,
  path: string,
  from: number,
  signal: AbortSignal,
  heard: (line: string) => void,
): Promise<number> {
  const log = await client.get(`${path}/log`, TaskLog, signal, { start: from, limit: 500 })
  // An empty log is told as one line that says so.
  const lines = log.filter(({ t }) => t !== 'no content')
  for (const { t } of lines) heard(t)
  return from + lines.length
}

async function brokenOff(client: ProxmoxClient, path: string, type: string, sleep: Sleep): Promise<void> {
  if (!breakable.has(type)) return
  const last = AbortSignal.timeout(stopMillis)
  try {
    await client.delete(path, Nothing, last)
    while ((await client.get(`${path}/status`, TaskStatus, last)).status === 'running') {
      await sleep(firstPauseMillis, last)
    }
  } catch {
    // It could not be stopped, or not in time: the next call finds the machine locked until it ends by itself.
  }
}
