import { describe, expect, test } from 'vitest'
import { type Command, parseLine, type Term } from '../../bot/grammar.ts'
import { context } from './grammar-context.ts'

const days = (count: number): Term => ({ kind: 'for', duration: { months: 0, days: count, millis: 0 } })
const monthsLong = (count: number): Term => ({ kind: 'for', duration: { months: count, days: 0, millis: 0 } })
const hours = (count: number): Term => ({
  kind: 'for',
  duration: { months: 0, days: 0, millis: count * 3_600_000 },
})
const until = (day: string, time: string | null = null): Term => ({ kind: 'until', day, time })

type Row = [line: string, command: Command]

const contract: Row[] = [
  [
    '/vm request slc5 for 30d budget T-1042 name webafs20 2cpu 4gb why "AFS web server" admins @web-services',
    {
      verb: 'request',
      template: 'slc5',
      term: days(30),
      budget: 'T-1042',
      name: 'webafs20',
      cpus: 2,
      memoryGb: 4,
      purpose: 'AFS web server',
      administrators: ['web-services'],
    },
  ],
  [
    '/vm quote w2008r2 4gb 2cpu for 60d',
    { verb: 'quote', template: 'w2008r2', memoryGb: 4, cpus: 2, term: days(60) },
  ],
  ['/vm list', { verb: 'list', which: 'mine' }],
  ['/vm list mine', { verb: 'list', which: 'mine' }],
  ['/vm list all', { verb: 'list', which: 'all' }],
  ['/vm list expiring', { verb: 'list', which: 'expiring' }],
  ['/vm show webafs20', { verb: 'show', machine: 'webafs20' }],
  ['/vm start webafs20', { verb: 'start', machines: ['webafs20'] }],
  ['/vm stop webafs20 web1', { verb: 'stop', machines: ['webafs20', 'web1'] }],
  ['/vm off web1', { verb: 'off', machines: ['web1'] }],
  ['/vm reset web1', { verb: 'reset', machines: ['web1'] }],
  ['/vm save web1', { verb: 'save', machines: ['web1'] }],
  ['/vm resume web1', { verb: 'resume', machines: ['web1'] }],
  ['/vm extend webafs20 30d', { verb: 'extend', machine: 'webafs20', term: days(30) }],
  ['/vm resize webafs20 4cpu 8gb', { verb: 'resize', machine: 'webafs20', cpus: 4, memoryGb: 8 }],
  ['/vm approve R-12', { verb: 'approve', request: 'R-12' }],
  [
    '/vm deny R-12 because it costs too much.',
    { verb: 'deny', request: 'R-12', reason: 'it costs too much.' },
  ],
  ['/vm cancel R-12 because "no need"', { verb: 'cancel', request: 'R-12', reason: 'no need' }],
  ['/vm delete webafs20', { verb: 'delete', machine: 'webafs20' }],
  ['/vm connect webafs20', { verb: 'connect', machine: 'webafs20' }],
  ['/vm console webafs20', { verb: 'console', machine: 'webafs20', console: 'screen' }],
  ['/vm console webafs20 serial', { verb: 'console', machine: 'webafs20', console: 'serial' }],
  ['/vm snapshot webafs20', { verb: 'snapshot', machine: 'webafs20' }],
  ['/vm revert webafs20 Before-5', { verb: 'revert', machine: 'webafs20', snapshot: 'Before-5' }],
  ['/vm capture webafs20 image webafs', { verb: 'capture', machine: 'webafs20', image: 'webafs' }],
  ['/vm figures webafs20', { verb: 'figures', machine: 'webafs20' }],
  ['/vm import Old-1.vhdx', { verb: 'import', file: 'Old-1.vhdx' }],
  [
    '/vm import old.vhdx as image webafs template slc5',
    { verb: 'import', file: 'old.vhdx', image: 'webafs', template: 'slc5' },
  ],
  ['/vm export webafs to webafs.vhd', { verb: 'export', image: 'webafs', file: 'webafs.vhd' }],
  [
    '/vm request slc5 disk 20 gb boot network',
    { verb: 'request', template: 'slc5', diskGb: 20, boot: 'network' },
  ],
  ['/vm archive webafs20 2mo', { verb: 'archive', machine: 'webafs20', term: monthsLong(2) }],
  ['/vm restore webafs20', { verb: 'restore', machine: 'webafs20' }],
  [
    '/vm clone webafs20 on w2008r2 name web9',
    { verb: 'clone', machine: 'webafs20', template: 'w2008r2', name: 'web9' },
  ],
  ['/vm budget T-1042', { verb: 'budget', budget: 'T-1042' }],
  ['/vm costs', { verb: 'costs' }],
  ['/vm costs T-1042 2026-11', { verb: 'costs', budget: 'T-1042', month: '2026-11' }],
  ['/vm prices', { verb: 'prices' }],
  ['/vm templates', { verb: 'templates' }],
  ['/vm hosts', { verb: 'hosts' }],
  ['/vm drain cernwod03', { verb: 'drain', host: 'cernwod03' }],
  ['/vm return cernwod03', { verb: 'return', host: 'cernwod03' }],
  ['/vm help', { verb: 'help' }],
  ['/vm help extend', { verb: 'help', word: 'extend' }],
  ['/vm settings', { verb: 'settings', settings: [] }],
  [
    '/vm settings notify=dm quiet="18:00 - 08:00"',
    {
      verb: 'settings',
      settings: [
        { name: 'notify', value: 'dm' },
        { name: 'quiet', value: '18:00 - 08:00' },
      ],
    },
  ],
  ['/desktop', { verb: 'desktop-open' }],
  ['/desktop public', { verb: 'desktop-open', pool: 'public' }],
  ['/desktop list', { verb: 'desktop-list' }],
  ['/desktop extend public 1h', { verb: 'desktop-extend', pool: 'public', term: hours(1) }],
  ['/desktop end', { verb: 'desktop-end' }],
]

const twenty: Command = {
  verb: 'request',
  template: 'slc5',
  count: 20,
  term: monthsLong(1),
  budget: 'T-1042',
}
const tenCopies: Command = { verb: 'capture', machine: 'webafs20', count: 10 }
const moreMemory: Command = { verb: 'resize', machine: 'webafs20', more: 'memory' }
const putAway: Command = { verb: 'archive', machine: 'webafs20', term: monthsLong(2) }
const testCopy: Command = { verb: 'clone', machine: 'webafs20', template: 'w2008r2' }

const sentences: Row[] = [
  ['I need 20 servers with slc5 for one month on T-1042', twenty],
  ['could I please get twenty slc5 machines for a month, budget T-1042?', twenty],
  ['Give me, on T-1042, 20 new VMs with slc5 for 1 month', twenty],
  ['please can we have 20 slc5 servers for one month on budget T-1042', twenty],
  ['20 servers with slc5 for 1mo on T-1042', twenty],
  ['I need 20 servers with slc5 for 30 days on T-1042', { ...twenty, term: days(30) }],
  [
    'I’d like a slc5 server with 4 gb of RAM and two CPUs for two weeks',
    {
      verb: 'request',
      template: 'slc5',
      memoryGb: 4,
      cpus: 2,
      term: days(14),
    },
  ],
  [
    'I need 4 servers for our physics tests with w2008r2 for 2 weeks',
    {
      verb: 'request',
      template: 'w2008r2',
      count: 4,
      term: days(14),
      purpose: 'our physics tests',
    },
  ],
  ['I need a server', { verb: 'request' }],
  ['I need an image of webafs20 replicated 10 times', tenCopies],
  ['give me 10 copies of webafs20', tenCopies],
  ['can I have webafs20 replicated ten times, please', tenCopies],
  ['please replicate webafs20 10 times', tenCopies],
  ['I need an image for this server replicated 10 times', { verb: 'capture', count: 10 }],
  [
    'I want ten replicas of webafs20 for 2 weeks on T-1042',
    { ...tenCopies, term: days(14), budget: 'T-1042' },
  ],
  ['I need more memory for webafs20', moreMemory],
  ['could you give webafs20 more RAM?', moreMemory],
  ['webafs20 needs more memory', moreMemory],
  ['I need 4 GB more memory for webafs20', moreMemory],
  ['we need more cpus for webafs20', { verb: 'resize', machine: 'webafs20', more: 'cpus' }],
  ['I need 8 gb for webafs20', { verb: 'resize', machine: 'webafs20', memoryGb: 8 }],
  ['I do not need webafs20 for 2 months, give me an image I can reuse later', putAway],
  ["we won't need webafs20 for the next two months", putAway],
  ['I don’t need webafs20 for 2 months', putAway],
  ['give me an image of webafs20 I can reuse later, I do not need it for 2 months', putAway],
  ['webafs20 is not needed until 1 Feb 2027', { ...putAway, term: until('2027-02-01') }],
  ['I need a test environment for webafs20 on w2008r2', testCopy],
  ['could I get a test copy of webafs20 with w2008r2', testCopy],
  ['please make a testing environment of webafs20 running w2008r2', testCopy],
  ['give me a test server for webafs20 on w2008r2 for 2 weeks', { ...testCopy, term: days(14) }],
  ['I need a test environment for prod-7 on w2008r2', { ...testCopy, machine: 'prod-7' }],
  ['I need a test server with slc5 for 30d', { verb: 'request', template: 'slc5', term: days(30) }],
  ['I need webafs20 for another 2 weeks', { verb: 'extend', machine: 'webafs20', term: days(14) }],
  [
    'I want to cancel R-12 because we do not need it',
    { verb: 'cancel', request: 'R-12', reason: 'we do not need it' },
  ],
  ['I need a desktop', { verb: 'desktop-open' }],
  ['give me a public desktop', { verb: 'desktop-open', pool: 'public' }],
]

const habits: Row[] = [
  ['ls', { verb: 'list', which: 'mine' }],
  ['LIST Expiring', { verb: 'list', which: 'expiring' }],
  ['rm web1', { verb: 'delete', machine: 'web1' }],
  ['up web1', { verb: 'start', machines: ['web1'] }],
  ['down web1', { verb: 'stop', machines: ['web1'] }],
  ['shut down web1 please', { verb: 'stop', machines: ['web1'] }],
  ['turn off web1, webafs20 and build-7', { verb: 'off', machines: ['web1', 'webafs20', 'build-7'] }],
  ['info WEB1', { verb: 'show', machine: 'web1' }],
  ['web1', { verb: 'show', machine: 'web1' }],
  ['webafs20 stop', { verb: 'stop', machines: ['webafs20'] }],
  ['ext web1 by two weeks', { verb: 'extend', machine: 'web1', term: days(14) }],
  ['extend 30d web1', { verb: 'extend', machine: 'web1', term: days(30) }],
  ['extend web1 +1w', { verb: 'extend', machine: 'web1', term: days(7) }],
  ['extend web1', { verb: 'extend', machine: 'web1' }],
  ['resize web1 memory 8gb cpus 2', { verb: 'resize', machine: 'web1', cpus: 2, memoryGb: 8 }],
  ['resize web1 to 512mb', { verb: 'resize', machine: 'web1', memoryGb: 0.5 }],
  ['approve 12', { verb: 'approve', request: 'R-12' }],
  ['approve #r12', { verb: 'approve', request: 'R-12' }],
  ['deny because no', { verb: 'deny', reason: 'no' }],
  ['deny R-12 it’s 20 CHF "too much"', { verb: 'deny', request: 'R-12', reason: 'it’s 20 CHF "too much"' }],
  ['vm list', { verb: 'list', which: 'mine' }],
  ['<@UBOT> list', { verb: 'list', which: 'mine' }],
  ['@jackdaw: list', { verb: 'list', which: 'mine' }],
  ['', { verb: 'help' }],
  ['hello', { verb: 'help' }],
  ['?', { verb: 'help' }],
  ['show <http://webafs20.cern.ch|webafs20.cern.ch>', { verb: 'show', machine: 'webafs20' }],
  ['list templates', { verb: 'templates' }],
  ['costs last month T-1042', { verb: 'costs', budget: 'T-1042', month: '2026-10' }],
  ['costs dec', { verb: 'costs', month: '2025-12' }],
  ['desktop public', { verb: 'desktop-open', pool: 'public' }],
  ['start nosuchserver', { verb: 'start', machines: ['nosuchserver'] }],
  ['request', { verb: 'request' }],
  [
    'new slc5 —name web9 --cpus=4 --memory 8 days=30 x3',
    {
      verb: 'request',
      template: 'slc5',
      name: 'web9',
      cpus: 4,
      memoryGb: 8,
      term: days(30),
      count: 3,
    },
  ],
  [
    'name:web9 budget: t-1042 request SLC5',
    { verb: 'request', template: 'slc5', name: 'web9', budget: 'T-1042' },
  ],
  [
    'request 3x slc5 4c 4g on cernwod03 on T-2000',
    {
      verb: 'request',
      template: 'slc5',
      count: 3,
      cpus: 4,
      memoryGb: 4,
      host: 'cernwod03',
      budget: 'T-2000',
    },
  ],
  [
    'request slc5 count 3 admins @web-services, <@U1>, dave until fri 17:00',
    {
      verb: 'request',
      template: 'slc5',
      count: 3,
      administrators: ['web-services', 'bob', 'dave'],
      term: until('2026-11-27', '17:00'),
    },
  ],
  [
    'request slc5 why “R&amp;D  – Test” never',
    { verb: 'request', template: 'slc5', purpose: 'R&D  – Test', term: { kind: 'never' } },
  ],
  [
    'request slc5 because the AFS team asks for it for 30d budget T\u20111042',
    {
      verb: 'request',
      template: 'slc5',
      purpose: 'the AFS team asks',
      term: days(30),
      budget: 'T-1042',
    },
  ],
  [
    'request\u00a0slc5 "AFS\u200b web" until 31/12/9999',
    {
      verb: 'request',
      template: 'slc5',
      purpose: 'AFS web',
      term: { kind: 'never' },
    },
  ],
]

test.each([...contract, ...sentences, ...habits])('%s', (line, command) => {
  const understood = parseLine(line, context({ verbs: line.startsWith('/desktop') ? '/desktop' : '/vm' }))

  expect(understood).toEqual({ kind: 'command', command })
})

test('a line after /desktop needs no verb before its pool, and can still be about servers', () => {
  const pool = parseLine('public', context({ verbs: '/desktop' }))
  const servers = parseLine('/vm list', context({ verbs: '/desktop' }))

  expect(pool).toEqual({ kind: 'command', command: { verb: 'desktop-open', pool: 'public' } })
  expect(servers).toEqual({ kind: 'command', command: { verb: 'list', which: 'mine' } })
})

test('a display name cannot smuggle words into the line of whoever mentions it', () => {
  const line = 'request slc5 admins <@U9|eve budget T-2000> for 30d'

  expect(parseLine(line, context())).toMatchObject({
    command: { administrators: ['u9'], term: days(30) },
  })
  expect(parseLine(line, context())).not.toHaveProperty('command.budget')
})

describe('what may mean several things is asked', () => {
  test.each<[line: string, choices: Record<string, string>]>([
    [
      'extend web1 3',
      {
        '3 hours': 'extend web1 for 3h',
        '3 days': 'extend web1 for 3d',
        '3 weeks': 'extend web1 for 3w',
      },
    ],
    [
      'extend web1 by three',
      {
        '3 hours': 'extend web1 for 3h',
        '3 days': 'extend web1 for 3d',
        '3 weeks': 'extend web1 for 3w',
      },
    ],
    ['extend web1 for 1M', { '1 month': 'extend web1 for 1mo', '1 minute': 'extend web1 for 1m' }],
    ['desktop extend 30', { '30 minutes': 'desktop extend for 30m', '30 hours': 'desktop extend for 30h' }],
    [
      'extend web1 until 01/02/2027',
      {
        '1 February 2027': 'extend web1 until 2027-02-01',
        '2 January 2027': 'extend web1 until 2027-01-02',
      },
    ],
    [
      'extend web1 until next fri',
      {
        '27 November 2026': 'extend web1 until 2026-11-27',
        '4 December 2026': 'extend web1 until 2026-12-04',
      },
    ],
    [
      'request slc5 30 budget T-1042',
      {
        '30 days': 'request slc5 for 30d budget T-1042',
        '30 weeks': 'request slc5 for 30w budget T-1042',
        '30 servers': 'request slc5 x30 budget T-1042',
      },
    ],
    ['resize web1 8', { '8 CPUs': 'resize web1 8cpu', '8 GB memory': 'resize web1 8gb' }],
    ['restart web1', { 'Reset at once': 'reset web1', 'Shut down first': 'stop web1' }],
    ['I no longer need webafs20', { 'Put it away': 'archive webafs20', 'Delete it': 'delete webafs20' }],
  ])('%s', (line, choices) => {
    const understood = parseLine(line, context())

    expect(understood).toMatchObject({
      kind: 'ask',
      choices: Object.entries(choices).map(([label, chosen]) => ({ label, line: chosen })),
    })
  })
})

describe('a slip of the finger is answered with the line that was probably meant', () => {
  test.each<[line: string, said: string, meant: string, safe: boolean]>([
    ['extned web1 3d', 'I do not know "extned". Did you mean extend?', 'extend web1 for 3d', true],
    ['delet web1', 'I do not know "delet". Did you mean delete?', 'delete web1', false],
    ['extned web1 3', 'I do not know "extned". Did you mean extend?', 'extend web1 3', true],
    [
      'show wbeafs20',
      'There is no server "wbeafs20" that you may see. Did you mean webafs20?',
      'show webafs20',
      true,
    ],
    [
      'stop web1 biuld-7',
      'There is no server "biuld-7" that you may see. Did you mean build-7?',
      'stop web1 build-7',
      false,
    ],
    ['request slc6 30d', 'There is no template "slc6". Did you mean slc5?', 'request slc5 for 30d', false],
    ['quote slc5 3 dyas', 'I do not know "dyas". Did you mean days?', 'quote slc5 for 3d', true],
    [
      'request slc5 budget T-1043',
      'There is no budget "T-1043". Did you mean T-1042?',
      'request slc5 budget T-1042',
      false,
    ],
    ['desktop publc', 'There is no pool "publc". Did you mean public?', 'desktop open public', true],
    ['list expring', 'I do not know "expring". Did you mean expiring?', 'list expiring', true],
    [
      'I need more memory for webafs21',
      'There is no server "webafs21" that you may see. Did you mean webafs20?',
      'resize webafs20 more memory',
      false,
    ],
  ])('%s', (line, message, meant, safe) => {
    const understood = parseLine(line, context())

    expect(understood).toEqual({
      kind: 'unknown',
      message,
      suggestions: [{ label: meant, line: meant, safe }],
    })
  })
})

test('a name that is as near to two others is not guessed', () => {
  const twins = context({ lexicon: { ...context().lexicon, machines: ['web1', 'web2'] } })

  expect(parseLine('show web3', twins)).toEqual({
    kind: 'command',
    command: { verb: 'show', machine: 'web3' },
  })
})

describe('what cannot be is refused in words', () => {
  test.each<[line: string, message: RegExp]>([
    ['extend web1 until 2026-01-05', /^5 January 2026 is in the past/],
    ['extend web1 until 01/02/2026', /^1 February 2026 or 2 January 2026 is in the past/],
    ['extend web1 until today 10:59', /in the past/],
    ['extend web1 until 30.2.2027', /no day "30\.2\.2027"/],
    ['extend web1 until soon', /cannot read "soon" as a day/],
    ['extend web1 for 30dd', /cannot read "30dd" as a length of time/],
    ['extend web1 by -3d', /cannot read "-3d"/],
    ['extend web1 0d', /more than nothing/],
    ['extend web1 for 999 years', /more than a hundred years/],
    ['request slc5 2cpu 4cpu', /two answers for the CPUs/],
    ['request slc5 for 3d budget T-1042 budget T-2000', /two answers for budget/],
    ['request solaris for 3d', /no template "solaris". Templates are slc5/],
    ['request slc5 x0', /at least one/],
    ['request slc5 name', /what comes after "name"/],
    ['approve webafs20', /named by its number, such as R-12/],
    ['delete web1 webafs20', /One server at a time/],
    ['show web1\u0007', /control characters/],
    ['show web1\nlist', /control characters or several lines/],
    ['x'.repeat(2001), /longer than 2000/],
    ['frobnicate', /I do not know "frobnicate"/],
  ])('%s', (line, message) => {
    const understood = parseLine(line, context())

    expect(understood.kind).toBe('unknown')
    expect(understood.kind === 'unknown' ? understood.message : '').toMatch(message)
  })
})

test('a suggestion that leaves words out is never run at a press', () => {
  const understood = parseLine('snapshot web1 before upgrade', context())

  expect(understood).toMatchObject({ suggestions: [{ line: 'snapshot web1 before', safe: false }] })
})
