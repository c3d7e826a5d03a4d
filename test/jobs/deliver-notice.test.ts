import { afterEach, beforeEach, expect, test } from 'vitest'
import { Outage } from '../../src/base/errors.ts'
import type { Telling } from '../../src/notices/notice.ts'
import { enqueue, redrawCards, tell } from '../../src/jobs/outbox.ts'
import { type Core, countedIds, hour, minute, openCore } from '../operations/core.ts'

let core: Core
let down: Set<string>
let sent: string[]
let redrawn: string[]
beforeEach(async () => {
  core = await openCore()
  down = new Set()
  sent = []
  redrawn = []
  core.told.tell = async (notice, user, known, platform) => {
    const told = known.map((copy) => copy.platform)
    const asked = ['web', 'slack'].filter((name) => !told.includes(name) && name === (platform ?? name))
    const isUp = (name: string): boolean => !down.has(name) && !core.told.unreachable.has(user)
    const telling: Telling = {
      copies: asked.filter(isUp).map((name) => ({ platform: name, channel: user, message: notice.id })),
      waiting: asked.filter((name) => down.has(name)).map((name) => ({ platform: name, why: 'no answer' })),
    }
    sent.push(...telling.copies.map((copy) => `${copy.platform} ${user}`))
    return telling
  }
  core.told.redraw = async (_notice, copy) => {
    if (down.has(copy.platform)) throw new Outage('chat_unreachable', 'no answer', { transient: true })
    redrawn.push(`${copy.platform} ${copy.user}`)
  }
})
afterEach(() => core.close())

const ids = countedIds()
const about = { kind: 'request', id: 'R-1' } as const

async function tellAll(to: string[]): Promise<void> {
  await core.store.transact(async (tx) => {
    await tell({ tx, now: core.clock.now(), ids }, { kind: 'approval-wanted', about, to })
  })
  await core.settle()
}

test('a platform that is down holds up neither the others nor other people', async () => {
  down.add('slack')

  await tellAll(['alice', 'bob'])

  expect(sent).toEqual(['web alice', 'web bob'])
})

test('what a platform was to be told is told once it answers, hours later, and once', async () => {
  down.add('slack')
  await tellAll(['alice', 'bob'])
  await core.pass(9 * hour)

  down.clear()
  await core.pass(10 * minute)

  expect(sent.toSorted()).toEqual(['slack alice', 'slack bob', 'web alice', 'web bob'])
})

test('somebody who is on no platform is told once they are, and the others at once', async () => {
  core.told.unreachable.add('alice')
  await tellAll(['alice', 'bob'])
  const before = [...sent]

  core.told.unreachable.clear()
  await core.pass(hour)

  expect(before).toEqual(['web bob', 'slack bob'])
  expect(sent).toEqual(['web bob', 'slack bob', 'web alice', 'slack alice'])
})

test('copies on a platform that is down are redrawn when it answers, the others at once', async () => {
  await tellAll(['bob'])
  down.add('slack')
  await core.store.transact((tx) => redrawCards({ tx, now: core.clock.now(), ids }, 'request:R-1'))
  await core.settle()
  const before = [...redrawn]

  down.clear()
  await core.pass(10 * minute)

  expect(before).toEqual(['web bob'])
  expect(redrawn).toEqual(['web bob', 'slack bob'])
})

test('two runs of one telling send one copy each', async () => {
  await tellAll(['bob'])
  const [notice] = await core.store.read((tx) => tx.notices.find('about', 'request:R-1'))
  const desk = { now: core.clock.now(), ids }
  await core.store.transact(async (tx) => {
    await enqueue({ tx, ...desk }, 'deliver-notice', { notice: notice?.id ?? '' }, { subject: 'x', by: 'x' })
  })

  await core.settle()

  expect(sent).toEqual(['web bob', 'slack bob'])
})
