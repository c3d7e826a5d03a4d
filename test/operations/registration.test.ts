import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Outage } from '../../src/base/errors.ts'
import type { Entry, Registrar } from '../../src/registration/registrar.ts'
import { deleteMachine } from '../../src/operations/delete-machine.ts'
import { listRequests } from '../../src/operations/list-requests.ts'
import { rollPool } from '../../src/operations/roll-pool.ts'
import { showBudget } from '../../src/operations/show-budget.ts'
import { showJob } from '../../src/operations/show-job.ts'
import { type Core, hour, leisurely, minute, openCore } from './core.ts'
import { ordered, shown } from './ordered.ts'

/** A registration that keeps what it is told in order, and fails as a test wants it to. */
interface Book extends Registrar {
  told: string[]
  fail: Partial<Record<'register' | 'locate' | 'deregister', Outage>>
  gives: string | null
}

function aBook(): Book {
  const told: string[] = []
  const hear = (book: Book, what: 'register' | 'locate' | 'deregister', entry: Entry): void => {
    const failure = book.fail[what]
    if (failure !== undefined) throw failure
    told.push(`${what} ${entry.name} ${entry.address ?? 'nowhere'}`)
  }
  const book: Book = {
    ...{ name: 'the book', told, fail: {}, gives: null },
    async register(entry) {
      hear(book, 'register', entry)
      return { address: book.gives }
    },
    locate: async (entry) => hear(book, 'locate', entry),
    deregister: async (entry) => hear(book, 'deregister', entry),
    check: async () => undefined,
  }
  return book
}

const refusal = new Outage('registration_refused', 'web is a printer.', { transient: false })
const silence = new Outage('registration_unreachable', 'ns1 is silent', { transient: true })

let core: Core
let book: Book
beforeEach(async () => {
  book = aBook()
  core = await openCore({ registrars: [book], pace: { ...leisurely, observeMillis: 15_000 } })
})
afterEach(() => core.close())

const kept = (name = 'webafs20') => core.store.read((tx) => tx.machines.get(name))

describe('a machine on a network that has to know of it', () => {
  test('is registered before anything of it is made, and its address as soon as it has one', async () => {
    await ordered(core)

    const { address } = await shown(core)
    const job = (await kept())?.job ?? ''
    const { stages } = await core.operations.perform(showJob, await core.as('alice'), { id: job })
    expect(stages[0]).toMatchObject({ name: 'registering the name', state: 'done' })
    expect(book.told.filter((words) => words.includes('webafs20'))).toEqual([
      'register webafs20 nowhere',
      `locate webafs20 ${address ?? ''}`,
    ])
  })

  test('is told once, however often it is looked at', async () => {
    await ordered(core)

    await core.pass(5 * minute)

    expect(book.told.filter((words) => words.startsWith('locate webafs20'))).toHaveLength(1)
  })

  test('loses its name too when it is a desktop that a new version takes the place of', async () => {
    const old = (await core.store.read((tx) => tx.desktops.find('pool', 'public'))).map(({ id }) => id)
    await core.pass(minute)

    await core.operations.perform(rollPool, await core.as('olga'), { pool: 'public', atOnce: 2 })
    await core.pass(5 * minute)

    const forgotten = book.told
      .filter((words) => words.startsWith('deregister'))
      .map((words) => words.split(' ')[1])
    expect(old).toHaveLength(2)
    expect(new Set(forgotten)).toEqual(new Set(old))
  })

  test('loses its name when it is deleted, after it is gone', async () => {
    await ordered(core)
    const { address } = await shown(core)

    await core.operations.perform(deleteMachine, await core.as('alice'), { name: 'webafs20' })
    await core.settle()

    expect(book.told.at(-1)).toBe(`deregister webafs20 ${address ?? ''}`)
    expect(await kept()).toMatchObject({ state: 'deleted' })
    expect((await kept())?.registered).toBeUndefined()
  })

  test('keeps its name from others until that is taken back', async () => {
    await ordered(core)
    book.fail = { deregister: silence }
    await core.operations.perform(deleteMachine, await core.as('alice'), { name: 'webafs20' })
    await core.settle()

    await expect(ordered(core)).rejects.toMatchObject({ code: 'name_taken' })
    book.fail = {}
    await core.pass(hour)
    await ordered(core)

    expect(await shown(core)).toMatchObject({ state: 'running' })
  })

  test('is refused by it: nothing is made, and money and room go back with the reason', async () => {
    book.fail = { register: refusal }

    await ordered(core)

    const [request] = (await core.operations.perform(listRequests, await core.as('alice'), {})).items
    const budget = await core.operations.perform(showBudget, await core.as('bob'), { code: 'T-1042' })
    expect(request?.state).toBe('failed')
    expect(request?.failure).toContain('web is a printer.')
    expect(budget).toMatchObject({ held: '0.00', spent: '0.00' })
    expect(await kept()).toMatchObject({ state: 'failed', host: null })
    expect(core.hypervisor.machine((await kept())?.ref ?? '')).toBeUndefined()
    expect(book.told.at(-1)).toBe('deregister webafs20 nowhere')
  })

  test('is asked for again while it does not answer', async () => {
    book.fail = { register: silence }
    await ordered(core)
    const during = (await shown(core)).state

    book.fail = {}
    await core.pass(minute)

    expect(during).toBe('provisioning')
    expect((await shown(core)).state).toBe('running')
  })

  test('gets the address that it is given, until it is seen to have another', async () => {
    book.gives = '10.9.9.9'
    core.hypervisor.fault({
      on: 'provision',
      stage: 'placing',
      outage: { code: 'host_unreachable', transient: true },
    })

    await ordered(core)
    const during = (await shown(core)).address
    await core.pass(minute)

    expect(during).toBe('10.9.9.9')
    expect((await shown(core)).address).toMatch(/^10\.128\./)
  })
})
