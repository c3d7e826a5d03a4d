import { z } from 'zod'
import { type Acknowledged, callAs } from './traffic.ts'

const Budget = z.object({ limit: z.string(), held: z.string(), spent: z.string(), left: z.string() })
const Machines = z.object({
  items: z.array(z.object({ name: z.string(), state: z.string(), expiresAt: z.string().nullable() })),
  next: z.string().nullable(),
})
const Leases = z.object({
  items: z.array(z.object({ id: z.string(), state: z.string(), desktop: z.string().nullable() })),
  next: z.string().nullable(),
})

/** Everything that is wrong with a site after a restart, in words; nothing when it is whole. */
export async function wrongsOf(url: string, seen: Acknowledged): Promise<string[]> {
  return [
    ...(await missingRequests(url, seen)),
    ...(await wrongMachines(url, seen)),
    ...(await wrongLeases(url, seen)),
    ...(await wrongBudgets(url)),
  ]
}

/** What is still being made or unmade long after the last restart: a job that was lost leaves its machine so. */
export async function unfinished(url: string): Promise<string[]> {
  const patience = Date.now() + 90_000
  for (;;) {
    const { body } = await callAs(url, 'olga', 'GET', '/machines?limit=200')
    const busy = Machines.parse(body).items.filter(({ state }) =>
      ['provisioning', 'deleting'].includes(state),
    )
    if (busy.length === 0 || Date.now() > patience)
      return busy.map(({ name, state }) => `${name} is still ${state}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function missingRequests(url: string, seen: Acknowledged): Promise<string[]> {
  const wrongs: string[] = []
  for (const [id, { approved }] of seen.requests) {
    const { ok, body } = await callAs(url, 'olga', 'GET', `/requests/${id}`)
    if (!ok) wrongs.push(`request ${id} was answered and is gone`)
    else if (approved && z.object({ state: z.string() }).parse(body).state === 'pending') {
      wrongs.push(`the approval of ${id} was answered and is gone`)
    }
  }
  return wrongs
}

async function wrongMachines(url: string, seen: Acknowledged): Promise<string[]> {
  const wrongs: string[] = []
  for (const [name, { expiresAt, deleted }] of seen.machines) {
    const { ok, body } = await callAs(url, 'olga', 'GET', `/machines/${name}`)
    if (!ok) {
      wrongs.push(`machine ${name} was answered and is gone`)
      continue
    }
    const machine = z.object({ state: z.string(), expiresAt: z.string() }).parse(body)
    if (machine.expiresAt < expiresAt) wrongs.push(`the extension of ${name} was answered and is gone`)
    if (deleted && !['deleting', 'deleted'].includes(machine.state))
      wrongs.push(`the deletion of ${name} is gone`)
  }
  const { body } = await callAs(url, 'olga', 'GET', '/machines?limit=200')
  const names = Machines.parse(body).items.map(({ name }) => name)
  if (new Set(names).size !== names.length) wrongs.push('a machine is there twice')
  return wrongs
}

async function wrongLeases(url: string, seen: Acknowledged): Promise<string[]> {
  const wrongs: string[] = []
  for (const [id, { ended }] of seen.leases) {
    const { ok, body } = await callAs(url, 'olga', 'GET', `/leases/${id}`)
    if (!ok) wrongs.push(`lease ${id} was answered and is gone`)
    else if (ended && z.object({ state: z.string() }).parse(body).state !== 'ended')
      wrongs.push(`lease ${id} lives again`)
  }
  const { body } = await callAs(url, 'olga', 'GET', '/leases?limit=200')
  const open = Leases.parse(body).items.flatMap(({ state, desktop }) =>
    state === 'ended' ? [] : (desktop ?? []),
  )
  if (new Set(open).size !== open.length) wrongs.push('a desktop has two open leases')
  return wrongs
}

async function wrongBudgets(url: string): Promise<string[]> {
  const wrongs: string[] = []
  for (const code of ['T-1042', 'T-2000']) {
    const { body } = await callAs(url, 'olga', 'GET', `/budgets/${code}`)
    const { limit, held, spent, left } = Budget.parse(body)
    const sum = [held, spent, left].reduce((total, text) => total + milli(text), 0n)
    if (sum !== milli(limit))
      wrongs.push(`${code}: ${held} held + ${spent} spent + ${left} left is not ${limit}`)
  }
  return wrongs
}

/** Counted apart from the program's own arithmetic. */
function milli(text: string): bigint {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.')
  const size = BigInt(whole) * 1000n + BigInt(fraction.padEnd(3, '0'))
  return text.startsWith('-') ? -size : size
}
