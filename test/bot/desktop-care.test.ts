import { afterEach, beforeEach, expect, test } from 'vitest'
import { cardAsText } from '../../bot/cards/text.ts'
import { nobody } from '../../src/identity/person.ts'
import { listTerminals, sightTerminal } from '../../src/operations/manage-terminals.ts'
import { minute } from '../operations/core.ts'
import { errorsOf, openRig, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

const mac = '00:0b:3c:00:00:77'
const call = (said: { mac: string; kind?: string }) =>
  rig.operations.perform(sightTerminal, nobody('rest', '10.0.0.8'), said)
const desktop = (line: string, user = 'olga') => rig.say(user, `/desktop ${line}`)
const told = () =>
  rig.told.notices.filter(({ notice }) => notice.kind === 'terminal-waiting').map(({ user }) => user)

async function standing(of: 'waiting' | 'denied' | 'enrolled') {
  const { items } = await rig.operations.perform(listTerminals, await rig.as('olga'), { standing: of })
  return items.map(({ name, pool, location }) => [name, pool, location])
}

test('a terminal that calls for the first time is put to the operators, who enrol it with a form', async () => {
  await call({ mac, kind: 'wyse' })
  await rig.settle()
  const [queue] = await desktop('terminals')
  const [form] = await rig.press('olga', queue, `Enrol ${mac}`)

  const [wrong] = await rig.submit('olga', form, { name: 'lobby-1' })
  const [done] = await rig.submit('olga', wrong, { name: 'lobby-2', pool: 'public', location: 'hall' })

  expect(told()).toEqual(['olga'])
  expect(queue?.summary).toBe(
    '1 terminal has called and is not known. Enrol what is yours, and turn down the rest.',
  )
  expect(errorsOf(wrong)).toEqual({
    name: 'Terminal lobby-1 has that name, MAC, address or port already. It stands in the site’s file: change it there.',
  })
  expect(done?.summary).toBe('Terminal lobby-2 is enrolled. It opens desktops of pool public.')
  expect(await standing('enrolled')).toEqual([['lobby-2', 'public', 'hall']])
  expect(await standing('waiting')).toEqual([])
})

test('one that is turned down is not asked about again, and may be enrolled all the same', async () => {
  await call({ mac })
  const [queue] = await desktop('terminals')
  const [left] = await rig.press('olga', queue, `Turn down ${mac}`)
  await rig.pass(10 * minute)

  await call({ mac })
  await rig.settle()

  expect(left?.summary).toBe('No terminal waits to be enrolled.')
  expect([await standing('waiting'), await standing('denied')]).toEqual([[], [[`?${mac}`, null, null]]])
  expect(told()).toEqual(['olga'])
})

test('many that call are one card, told of once an hour at the most', async () => {
  for (let i = 10; i < 30; i++) await call({ mac: `00:00:00:00:00:${i}` })
  await rig.settle()
  await rig.pass(61 * minute)
  await call({ mac })
  await rig.settle()

  const [queue] = await desktop('terminals')

  expect(told()).toEqual(['olga', 'olga'])
  expect(queue?.summary).toContain('21 terminals have called and are not known.')
})

test('what is the operators’ is answered to nobody else', async () => {
  for (const line of ['terminals', 'pool public', 'roll public']) {
    const [card] = await desktop(line, 'carol')

    expect(card === undefined ? '' : cardAsText(card)).toContain('Only operators may do this.')
  }
})

test('a new version is sent through a pool from chat, shown as it goes, and stopped', async () => {
  await rig.pass(minute)
  const [before] = await desktop('pool public')
  const [rolling] = await rig.press('olga', before, 'Send a new version')
  const [stopped] = await rig.press('olga', rolling, 'Stop')
  const [again] = await desktop('roll public')
  await rig.settle()

  const [after] = await desktop('pool public')

  expect(before?.summary).toBe('Pool public is open, with 2 desktops ready.')
  expect(rolling).toMatchObject({
    summary: 'A new version goes through pool public: 0 of 2 desktops have it.',
    tone: 'wait',
    about: 'pool:public',
  })
  expect(stopped === undefined ? '' : cardAsText(stopped)).toContain('stopped: 0 new, 2 to go')
  expect(again?.tone).toBe('wait')
  expect(after === undefined ? '' : cardAsText(after)).toContain('through: 2 new, 0 to go')
})
