import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { editRequest } from '../../src/operations/edit-request.ts'
import { day, demoConfig } from '../operations/core.ts'
import { checkFocus } from '../pricing/focus-check.ts'
import { tagsOf, textOf } from './markup.ts'
import { type Browser, openSite, type Site } from './served.ts'

let site: Site
afterEach(() => site.close())

/** Alice's server on a site whose file was changed by text. */
async function open(edit?: (yaml: string) => string): Promise<{ alice: Browser; bob: Browser }> {
  site = await openSite(await demoConfig(edit))
  const [alice, bob] = [await site.signedIn('alice'), await site.signedIn('bob')]
  const order = { template: 'slc5', budget: 'T-1042', days: '60', cpus: '2', memoryGb: '4' }
  await alice.post('/request', { ...order, name: 'webafs20', purpose: 'AFS' })
  return { alice, bob }
}

describe('what a server has cost', () => {
  let [alice, bob]: [Browser, Browser] | [] = []
  beforeEach(async () => {
    const people = await open()
    await people.bob.post('/requests/R-1/approve')
    await site.settle()
    await site.pass(40 * day)
    // Sessions do not last that long.
    ;[alice, bob] = [await site.signedIn('alice'), await site.signedIn('bob')]
  })

  const at = (browser: Browser | undefined, path: string) => {
    if (browser === undefined) throw new Error('nobody is signed in')
    return browser.get(path)
  }

  test('is drawn by month, and stands in a table with links to the statements', async () => {
    const page = await at(bob, '/costs?of=T-1042')

    const text = textOf(page.html)
    const tags = tagsOf(page.html)
    expect(text).toContain('33.30 CHF charged, 74.00 CHF to come if nothing changes')
    expect(tags.filter(({ attributes }) => attributes.class?.startsWith('piece expected'))).toHaveLength(2)
    const links = tags.flatMap(({ attributes: { href } }) => (href?.startsWith('/budgets/T') ? [href] : []))
    expect(links.slice(-2)).toEqual(['/budgets/T-1042/2026-12', '/budgets/T-1042/2027-01'])
  })

  test('is the same for the machine and for all that its owner has', async () => {
    const [mine, its] = [await at(alice, '/costs'), await at(alice, '/costs?machine=webafs20')]

    expect(textOf(mine.html)).toContain('33.30 CHF charged, 74.00 CHF to come')
    expect(textOf(its.html)).toContain('Costs of webafs20')
    expect(textOf(its.html)).toContain('33.30 CHF charged, 74.00 CHF to come')
  })

  test('is stated for a month line by line, with a total that does not change any more', async () => {
    const closed = textOf((await at(bob, '/budgets/t-1042/2026-12')).html)
    const current = textOf((await at(bob, '/budgets/T-1042/2027-01')).html)

    expect(closed).toContain('Statement for December 2026')
    expect(closed).toContain('closed: it does not change any more')
    expect(closed).toContain('29.60 CHF for 1 machine on 31 machine days, of which 23 were free.')
    expect(closed).toContain('webafs20 GB above the first standard 3 0.685 8 16.44')
    expect(current).toContain('open: it may still grow')
  })

  test('can be kept as CSV and as FOCUS, with the rows of the ledger', async () => {
    const csv = await at(bob, '/budgets/T-1042/2026-12/csv')
    const focus = await at(bob, '/budgets/T-1042/2026-12/focus')

    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="statement-T-1042-2026-12.csv"')
    expect(csv.html.split('\r\n').at(-2)).toContain('29.60')
    expect(checkFocus(focus.html)).toHaveLength(23 + 8 * 3)
    expect((await at(bob, '/budgets/T-1042/2026-12/pdf')).status).toBe(404)
  })

  test('is nothing that a stranger may see', async () => {
    await site.close()
    const stranger = await open((yaml) => yaml.replace('members: [developers]', 'members: [web-services]'))
    await stranger.bob.post('/requests/R-1/approve')
    await site.settle()
    const carol = await site.signedIn('carol')

    const paths = ['/costs?of=T-1042', '/costs?machine=webafs20', '/budgets/T-1042/2026-11']
    const pages = await Promise.all([...paths, '/budgets/T-1042/2026-11/csv'].map((path) => carol.get(path)))
    const open2 = await Promise.all(
      ['/costs', '/costs?of=budgets', '/budgets'].map((path) => carol.get(path)),
    )

    expect(pages.map(({ status }) => status)).toEqual([404, 404, 404, 404])
    expect(open2.map(({ status }) => status)).toEqual([200, 200, 200])
    expect([...pages, ...open2].map(({ html }) => html).join()).not.toMatch(/107\.30|AFS/)
  })

  test('is shown before a deletion, with what that saves', async () => {
    const text = textOf((await at(alice, '/machines/webafs20/confirm/delete')).html)

    expect(text).toContain('That saves 3.70 CHF a day .')
    expect(text).toContain('70.30 CHF that are held for its days to come go back to T-1042.')
    expect(text).toContain('a saved machine costs the same')
  })
})

describe('a decision', () => {
  test('has its four facts beside the buttons, on the list and on the page', async () => {
    const { bob } = await open()

    const pages = [await bob.get('/requests'), await bob.get('/requests/R-1')]

    for (const text of pages.map(({ html }) => textOf(html))) {
      expect(text).toContain('Total 107.30 CHF Per day, after its free days 3.70 CHF')
      expect(text).toContain('Left on T-1042 afterwards 1 892.70 CHF Of its limit then taken 5.4 %')
    }
  })

  test('on a price that went up shows the new figures, and one press approves at those', async () => {
    const later =
      "  - { name: dearer, from: 2026-11-24, freeDays: 0, base: '2.000', perGb: '1.000', perCpu: '1.000' }"
    await open((yaml) => yaml.replace('# Who may spend', `${later}\n\n# Who may spend`))
    await site.pass(day)
    const bob = await site.signedIn('bob')

    const asked = await bob.post('/requests/R-1/approve')
    const text = textOf(asked.html)
    const accepted = /name="acceptQuote" value="(Q-[\w-]+)"/.exec(asked.html)?.[1] ?? ''
    const done = await bob.submit('/requests/R-1/approve', { acceptQuote: accepted })

    expect(asked.status).toBe(409)
    expect(text).toContain('The price went up by 6.00 CHF since it was quoted.')
    expect(text).toContain('Total now 360.00 CHF instead of 354.00 CHF')
    expect(text).toContain('Approve for 360.00 CHF')
    expect(textOf(done.html)).toContain('Approved. The work has begun.')
  })

  test('from a page that was opened before the request was changed shows what is different', async () => {
    const { bob } = await open()
    const page = await bob.get('/requests/R-1')
    const shown = /name="quote" value="(Q-[\w-]+)"/.exec(page.html)?.[1] ?? ''
    await site.operations.perform(editRequest, await site.as('alice'), { id: 'R-1', memoryGb: 8 })

    const asked = await bob.submit('/requests/R-1/approve', { quote: shown })

    expect(asked.status).toBe(409)
    expect(textOf(asked.html)).toContain(
      'It was changed since you were shown it: GB 4 is 8. Nothing is approved',
    )
    expect(textOf(asked.html)).toContain('Approve for 186.76 CHF')
  })
})

test('a budget that is nearly used up says so, and one that is used up what follows', async () => {
  const near = await open((yaml) => yaml.replace("limit: '2000.00'", "limit: '130.00'"))
  await near.bob.post('/requests/R-1/approve')
  const nearly = textOf((await near.bob.get('/budgets')).html)
  await site.close()
  const full = await open((yaml) => yaml.replace("limit: '2000.00'", "limit: '107.30'"))
  await full.bob.post('/requests/R-1/approve')

  expect(nearly).toContain('82.5 % of the limit is spent or held.')
  expect(textOf((await full.bob.get('/budgets')).html)).toContain(
    'Nothing is left: what costs money is refused',
  )
})

test('a budget that is closed says so, and no form offers it', async () => {
  const closing = (yaml: string): string =>
    yaml.replace('title: Detector controls', 'title: Detector controls\n    closed: 2026-11-25')
  const { alice } = await open(closing)
  const before = textOf((await alice.get('/request')).html)
  await site.pass(3 * day)
  const later = await site.signedIn('alice')

  const [form, budgets] = [await later.get('/request'), await later.get('/budgets')]

  expect(before).toContain('T-1042 Detector controls')
  expect(textOf(form.html)).not.toContain('T-1042')
  expect(textOf(form.html)).toContain('T-2000 Office automation')
  expect(textOf(budgets.html)).toContain('It is closed since 2026-11-25: nothing new is put on it')
})

test('more time and another size have the prices that they will be held at', async () => {
  const tariff =
    "{ name: later, from: 2026-12-01, freeDays: 0, base: '2.000', perGb: '1.000', perCpu: '1.000' }"
  const honoured = (yaml: string): string =>
    yaml
      .replace('# Who may spend', `  - ${tariff}\n\n# Who may spend`)
      .replace('policies:', 'policies:\n  prices: { honourQuotes: true }')
  const { bob } = await open(honoured)
  await bob.post('/requests/R-1/approve')
  await site.settle()
  await site.pass(40 * day)
  const alice = await site.signedIn('alice')

  const page = textOf((await alice.get('/machines/webafs20?cpus=3&memoryGb=4')).html)
  const extended = await alice.submit('/machines/webafs20/extend', { days: '7' })

  // The size goes by the tariff that was promised, the days that are added by today's.
  expect(page).toContain('4.385 CHF a day instead of 3.70 CHF a day')
  expect(page).toContain('13.70 CHF more until its end')
  expect(page).toContain('7 days until 29 Jan 2027, 09:00 42.00 CHF')
  expect(textOf(extended.html)).toContain('It lasts longer now.')
})

test('the prices are those of each day, with what a machine at rest costs', async () => {
  const tariff =
    "{ name: later, from: 2027-01-01, freeDays: 10, base: '1.200', perGb: '0.500', perCpu: '0.500', saved: { base: '0.100' } }"
  const { alice } = await open((yaml) => yaml.replace('# Who may spend', `  - ${tariff}\n\n# Who may spend`))

  const text = textOf((await alice.get('/prices')).html)

  expect(text).toContain('A machine with 1 CPU and 1 GB costs 0.96 CHF a day')
  expect(text).toContain('2009-01-01 holds today standard 0.96 0.685 0.685 31 days')
  expect(text).toContain('2027-01-01 to come later 1.20 0.50 0.50 10 days')
  expect(text).toContain('2027-01-01 later, while saved 0.10 0.50 0.50 as above')
})

describe('a machine is handed on in the portal', () => {
  test('to another owner at once, or to a budget that is asked first', async () => {
    const { alice, bob } = await open()
    await bob.post('/requests/R-1/approve')
    await site.settle()
    const page = textOf((await alice.get('/machines/webafs20')).html)

    const wrong = await alice.post('/machines/webafs20/transfer', { owner: 'nobody-here' })
    const asked = await alice.submit('/machines/webafs20/transfer', { budget: 'T-2000', reason: 'office' })
    const done = await alice.post('/machines/webafs20/transfer', { owner: 'carol' })

    expect(page).toContain('then holds 107.30 CHF for the 60 days to come')
    expect(textOf(wrong.html)).toContain('Not right: a user name of the directory')
    expect(textOf(asked.html)).toContain('webafs20 to go from alice and T-1042 to alice and T-2000')
    // Alice may not see it any more.
    expect(done.location).toBe('/')
  })

  test('by its owner only', async () => {
    const { bob } = await open()
    await bob.post('/requests/R-1/approve')
    await site.settle()

    expect(textOf((await bob.get('/machines/webafs20')).html)).not.toContain('Hand on')
  })
})

describe('a request is changed in the portal', () => {
  test('in the form of a new one, which knows what it asks for', async () => {
    const { alice } = await open()
    const page = await alice.get('/requests/R-1')
    const form = await alice.get('/requests/R-1/edit')

    const same = {
      ...{ edits: 'R-1', template: 'slc5', cpus: '2', memoryGb: '4', count: '1', days: '60' },
      ...{ name: 'webafs20', purpose: 'AFS', budget: 'T-1042' },
    }
    const nothing = await alice.post('/requests/R-1/edit', same)
    const wrong = await alice.post('/requests/R-1/edit', { ...same, cpus: '99' })
    const changed = await alice.submit('/requests/R-1/edit', { ...same, days: '90', administrators: 'bob' })

    expect(textOf(page.html)).toContain('Change it')
    expect(tagsOf(form.html).find(({ attributes }) => attributes.name === 'days')?.attributes.value).toBe(
      '60',
    )
    expect(textOf(nothing.html)).toContain('R-1 says that already')
    expect(wrong.status).toBe(422)
    expect(wrong.html).toContain('value="99"')
    expect(textOf(changed.html)).toContain('It is changed, priced anew')
    expect(textOf(changed.html)).toContain('90 days')
    expect(textOf(changed.html)).toContain('218.30 CHF')
  })
})

test('to save a machine is asked about with what that saves', async () => {
  const { alice, bob } = await open((yaml) =>
    yaml.replace(
      "perCpu: '0.685' # for each CPU",
      "saved: { base: '0.10', perGb: '0', perCpu: '0' }\n    perCpu: '0.685' # for each CPU",
    ),
  )
  await bob.post('/requests/R-1/approve')
  await site.settle()

  const page = textOf((await alice.get('/machines/webafs20/confirm/save')).html)

  expect(page).toContain('That saves 3.60 CHF a day while it lasts, once its 30 free days to come are over.')
})
