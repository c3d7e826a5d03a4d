import { afterEach, beforeEach, expect, test } from 'vitest'
import { day } from '../operations/core.ts'
import type { Browser } from './browser.ts'
import type { StorySite } from './site.ts'
import { onEachStore } from './stores.ts'

onEachStore((open) => {
  let site: StorySite
  beforeEach(async () => {
    site = await open({
      edit: (yaml) =>
        yaml
          .replace('freeDays: 31', 'freeDays: 2')
          .replace('members: [developers]', 'members: [web-services]'),
    })
  })
  afterEach(() => site.close())

  /** Says a line in the chat, each at a moment of its own: the page tells one sending from another by it. */
  async function say(person: Browser, line: string): Promise<void> {
    await site.pass(1000)
    await person.open('/chat')
    await person.submit('Send', { line })
  }

  test('a server that is charged over the end of a month is stated and drawn for its holder, and for no stranger', async () => {
    const alice = await site.signIn('alice')
    await alice.open('/chat')
    const wish = 'request slc5 for 30d budget T-1042 name webafs20 2cpu 4gb why "AFS web server"'
    await alice.submit('Send', { line: wish })
    await site.settle()
    const bob = await site.signIn('bob')
    await bob.open('/chat')
    await bob.submit('Approve')
    await site.settle()
    // 23 November to 5 December: 8 days of November, of which 2 are free, and 5 of December.
    await site.pass(13 * day)

    const holder = await site.signIn('bob')
    await say(holder, 'costs T-1042')
    const costs = holder.text
    await say(holder, 'costs T-1042 2026-11')
    const stated = holder.text
    await holder.follow('Line by line, to print, as CSV or FOCUS')
    const statement = holder.text
    await holder.open('/costs?of=T-1042')
    const drawn = holder.text
    await holder.follow('December 2026')
    const open = holder.text

    expect(costs).toContain('40.70 CHF charged since November 2026')
    expect(costs).toContain('62.90 CHF to come up to December 2026 if nothing changes.')
    expect(stated).toContain('22.20 CHF were charged to T-1042 in November 2026.')
    expect(statement).toContain('22.20 CHF for 1 machine on 8 machine days, of which 2 were free.')
    expect(statement).toContain('closed: it does not change any more')
    expect(drawn).toContain('40.70 CHF charged, 62.90 CHF to come')
    expect(open).toMatch(/18\.50 CHF for 1 machine on 5 machine days/)

    const carol = await site.signIn('carol')
    for (const line of ['costs T-1042', 'costs T-1042 2026-11', 'costs']) await say(carol, line)
    const said = carol.text
    await carol.open('/costs?of=T-1042')
    const refused = carol.text
    await carol.open('/budgets/T-1042/2026-11')

    expect([said, refused, carol.text].join()).not.toMatch(/40\.70|22\.20|webafs20|Detector/)
    expect(refused).toContain('There is no budget T-1042, or it is not yours to see.')
    expect(carol.text).toContain('There is no budget T-1042, or it is not yours to see.')
  })
})
