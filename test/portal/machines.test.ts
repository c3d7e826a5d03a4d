import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tagsOf, textOf } from './markup.ts'
import { type Browser, openSite, type Site } from './served.ts'

let site: Site
let alice: Browser
let bob: Browser

beforeEach(async () => {
  site = await openSite()
  alice = await site.signedIn('alice')
  bob = await site.signedIn('bob')
})
afterEach(() => site.close())

const order = { template: 'slc5', budget: 'T-1042', purpose: 'AFS web server', name: 'webafs20', days: '60' }

/** A machine of Alice's that runs. */
async function makeMachine(fields: Record<string, string> = {}): Promise<void> {
  await alice.post('/request', { ...order, ...fields })
  await bob.post('/requests/R-1/approve')
  await site.settle()
}

describe('asking for a machine, with forms alone', () => {
  test('goes from the form to the approver to a machine that runs', async () => {
    const asked = await alice.submit('/request', { ...order, cpus: '2', memoryGb: '4', until: '' })
    const waiting = await bob.get('/requests')
    const approved = await bob.submit('/requests/R-1/approve')
    const making = await alice.get('/')
    await site.settle()
    const made = await alice.get('/')

    expect(textOf(asked.html)).toContain('The request is made. Those who decide have been told.')
    expect(textOf(asked.html)).toContain('107.30 CHF')
    expect(textOf(waiting.html)).toContain('alice asks for 1 machine of slc5, 2 CPUs, 4 GB')
    expect(textOf(approved.html)).toContain('Approved. The work has begun.')
    expect(textOf(making.html)).toContain('being made')
    expect(tagsOf(making.html).some(({ name }) => name === 'progress')).toBe(true)
    expect(textOf(made.html)).toContain('● running')
  })

  test('shows the price and who decides before anything is sent', async () => {
    const page = await alice.get('/request?template=slc5&cpus=2&memoryGb=4&days=60&budget=T-1042')

    const text = textOf(page.html)
    expect(text).toContain('107.30 CHF')
    expect(text).toContain('60 days, of which 31 are free. Afterwards 3.70 CHF a day.')
    expect(text).toContain('To be approved by bob. T-1042 would have 1 892.70 CHF left.')
  })

  test('says that nobody needs to approve what costs little', async () => {
    const carol = await site.signedIn('carol')

    const part = await carol.post('/fragments/quote', { template: 'slc5', days: '35', budget: 'T-2000' })

    expect(textOf(part.html)).toContain('Below 10.00 CHF, so nobody needs to approve it.')
  })

  test('an end that is chosen counts instead of the days', async () => {
    const page = await alice.get('/request?template=slc5&days=30&until=2026-12-03')

    expect(textOf(page.html)).toContain('10 days, of which 10 are free.')
  })

  test('keeps what was typed when it is refused, and says what is wrong beside the field', async () => {
    const answer = await alice.post('/request', {
      ...order,
      cpus: '9',
      purpose: 'Keep me',
    })

    const field = tagsOf(answer.html).find(({ attributes }) => attributes.name === 'cpus')
    expect(answer.status).toBe(422)
    expect(field?.attributes).toMatchObject({ value: '9', 'aria-invalid': 'true' })
    expect(textOf(answer.html)).toContain('Not right: a whole number from 1 to 4 CPUs')
    expect(answer.html).toContain('value="Keep me"')
  })

  test('names each host and its reasons when there is no room', async () => {
    const answer = await alice.post('/request', { ...order, name: '', count: '50' })

    expect(answer.status).toBe(409)
    expect(textOf(answer.html)).toContain('cernwod01:')
  })

  test('a denial needs its reason, which the requester then reads', async () => {
    await alice.post('/request', order)

    const without = await bob.post('/requests/R-1/deny')
    const denied = await bob.submit('/requests/R-1/deny', { reason: 'Use the shared one' })
    const read = await alice.get('/requests/R-1')

    expect(without.status).toBe(422)
    expect(textOf(denied.html)).toContain('Denied.')
    expect(textOf(read.html)).toContain('Use the shared one')
  })

  test('whoever asked can take it back, but not decide', async () => {
    await alice.post('/request', order)

    const own = await alice.get('/requests/R-1')
    const refused = await alice.post('/requests/R-1/approve')
    const cancelled = await alice.submit('/requests/R-1/cancel')

    expect(textOf(own.html)).not.toContain('Approve')
    expect(refused.status).toBe(403)
    expect(textOf(cancelled.html)).toContain('taken back')
  })
})

describe('a machine', () => {
  test('can be pressed only where its state allows, and what loses something asks first', async () => {
    await makeMachine()

    const page = await alice.get('/machines/webafs20')
    const asks = await alice.get('/machines/webafs20/confirm/power-off')
    const pressed = await alice.submit('/machines/webafs20/power-off')
    await site.settle()
    const after = await alice.get('/machines/webafs20')

    const actions = tagsOf(page.html).flatMap(({ attributes }) => attributes.action ?? [])
    expect(actions).toContain('/machines/webafs20/shutdown')
    expect(actions).not.toContain('/machines/webafs20/power-off')
    expect(actions).not.toContain('/machines/webafs20/start')
    expect(textOf(asks.html)).toContain('What the guest has not written to its disk is lost.')
    expect(textOf(pressed.html)).toContain('The plug is pulled.')
    expect(textOf(after.html)).toContain('stopped')
  })

  test('says on its own page why something is refused', async () => {
    await makeMachine()

    const answer = await alice.post('/machines/webafs20/resume')
    await site.settle()
    const again = await alice.post('/machines/webafs20/extend', { until: '2020-01-01' })

    expect([answer.status, again.status]).toEqual([303, 422])
    expect(textOf(again.html)).toContain('Choose a later end.')
    expect(textOf(again.html)).toContain('webafs20')
  })

  test('shows what more time costs, and costs that', async () => {
    await makeMachine()

    const page = await alice.get('/machines/webafs20')
    const extended = await alice.submit('/machines/webafs20/extend', { days: '30', until: '' })
    const budget = await bob.get('/budgets')

    expect(textOf(page.html)).toContain('30 days until 21 Feb 2027, 09:00 28.80 CHF')
    expect(textOf(extended.html)).toContain('It lasts longer now.')
    expect(textOf(extended.html)).toContain('21 Feb 2027, 09:00')
    // 29 days of the first term were charged, and 30 more now.
    expect(textOf(budget.html)).toContain('Held for what is approved 56.64 CHF')
  })

  test('becomes a request when it has been extended often enough, and says so before', async () => {
    await makeMachine({ days: '10' })
    await alice.post('/machines/webafs20/extend', { days: '7' })
    await alice.post('/machines/webafs20/extend', { days: '7' })

    const page = await alice.get('/machines/webafs20')
    const answer = await alice.post('/machines/webafs20/extend', { days: '7' })

    expect(textOf(page.html)).toContain('this one becomes a request')
    expect(answer.location).toBe('/requests/R-2?done=asked')
  })

  test('shows what another size costs before it is asked for', async () => {
    await makeMachine()

    const part = await alice.post('/fragments/machines/webafs20/price', { cpus: '2', memoryGb: '1' })
    const unscripted = await alice.get('/machines/webafs20?cpus=2&memoryGb=1')

    const words = '1.645 CHF a day instead of 0.96 CHF a day'
    expect(textOf(part.html)).toContain(words)
    expect(textOf(unscripted.html)).toContain(words)
    expect(textOf(part.html)).toContain('19.865 CHF more until its end.')
  })

  test('of somebody else is not there', async () => {
    await makeMachine()
    const carol = await site.signedIn('carol')

    const page = await carol.get('/machines/webafs20')

    expect(page.status).toBe(404)
    expect(textOf(page.html)).toContain('There is no machine webafs20, or it is not yours to see.')
  })

  test('let go of is not spoken of again, and deleted is gone from the list', async () => {
    await makeMachine()

    const letGo = await alice.submit('/machines/webafs20/let-go')
    const deleted = await alice.submit('/machines/webafs20/delete')
    await site.settle()
    const list = await alice.get('/')

    expect(textOf(letGo.html)).toContain('You are not reminded of that again.')
    expect(textOf(deleted.html)).toContain('being deleted')
    expect(textOf(list.html)).toContain('You have no machines.')
  })
})
