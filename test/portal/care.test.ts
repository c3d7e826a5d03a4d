import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStorySite, type StorySite } from '../stories/site.ts'

let site: StorySite
beforeEach(async () => {
  site = await openStorySite()
})
afterEach(() => site.close())

describe('an operator', () => {
  test('confirms a device that has just come up for the first time', async () => {
    await fetch(`${site.url}/wyse/wnos/inc/00800000aa01.ini`)
    const olga = await site.signIn('olga')
    await olga.open('/terminals')
    await olga.submit('Confirm', { name: 'lobby-2', pool: 'public' })

    const ini = await (await fetch(`${site.url}/wyse/wnos/inc/00800000aa01.ini`)).text()
    expect(olga.text).toContain('The terminal is known now.')
    expect(ini).toContain('# Jackdaw: lobby-2')
    expect(ini).toContain('description="public"')
  })

  test('closes a pool and opens it again', async () => {
    const [olga, carol] = [await site.signIn('olga'), await site.signIn('carol')]
    await olga.open('/pools')
    await olga.submit('Close public', { reason: 'new image' })
    await carol.open('/desktops')
    await carol.submit('Open', {})
    const refused = carol.text
    await olga.open('/pools')
    await olga.submit('Open again public', {})

    expect(refused).toContain('takes nobody new just now')
    expect(olga.text).toContain('People are let in again.')
  })
})
