import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cardAsText } from '../../bot/cards/text.ts'
import { demoConfig } from '../operations/core.ts'
import { shown } from '../operations/ordered.ts'
import { buttonsOf, formOf, openRig, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  const group =
    "groups: [{ name: desktops, title: 'Many, cheap, short', maxTerm: P14D, members: [developers] }]"
  rig = await openRig(await demoConfig((yaml) => yaml.replace('templates:\n', `${group}\ntemplates:\n`)))
})
afterEach(() => rig.close())

const order = 'request slc5 for 7d budget T-1042 name webafs20 why "jobs"'

async function agreed(): Promise<void> {
  const [card] = await rig.say('bob', 'approve')
  await rig.press('bob', card, buttonsOf(card)[0]?.label ?? '')
  await rig.settle()
}

describe('a class of hosts', () => {
  test('may be named in the line', async () => {
    await rig.say('alice', `${order} class desktops`)
    await agreed()

    expect((await shown(rig)).host).toBe('cernwod04')
  })

  test('may be chosen in the form by those whom it is for', async () => {
    const [form] = await rig.say('alice', 'request slc5')
    const [other] = await rig.say('bob', 'request slc5')
    const fields = { term: '7d', budget: 'T-1042', purpose: 'jobs', name: 'webafs20', group: 'desktops' }
    await rig.submit('alice', form, fields)
    await agreed()

    expect(formOf(form).fields.find(({ name }) => name === 'group')?.choices).toEqual([
      { value: 'central', label: 'central' },
      { value: 'desktops', label: 'Many, cheap, short' },
    ])
    expect(formOf(other).fields.some(({ name }) => name === 'group')).toBe(false)
    expect((await shown(rig)).host).toBe('cernwod04')
  })

  test('has its own longest term, which the form says', async () => {
    const [form] = await rig.say('alice', `${order.replace('7d', '30d')} class desktops`)

    expect(form === undefined ? '' : cardAsText(form)).toContain('14 days')
  })

  test('stays when something else of the request is changed', async () => {
    await rig.say('alice', `${order} class desktops`)
    const [form] = await rig.say('alice', 'edit R-1')
    await rig.submit('alice', form, { memory: '2' })
    await agreed()

    expect(await shown(rig)).toMatchObject({ host: 'cernwod04', memoryGb: 2 })
  })
})
