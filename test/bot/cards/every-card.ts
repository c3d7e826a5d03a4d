import type { Card } from '../../../bot/card.ts'
import { dearerCard } from '../../../bot/cards/approval.ts'
import { budgetCard, budgetsCard, budgetWarningCard } from '../../../bot/cards/budget.ts'
import { costsCard } from '../../../bot/cards/costs.ts'
import { connectCard } from '../../../bot/cards/connect.ts'
import { leaseCard, poolsCard } from '../../../bot/cards/desktop.ts'
import { expiryCard, type ExpiryFacts } from '../../../bot/cards/expiry.ts'
import { denyForm, extendForm, resizeForm } from '../../../bot/cards/forms.ts'
import { orderForm } from '../../../bot/cards/order-form.ts'
import { consoleCard } from '../../../bot/cards/console.ts'
import { filesCard, movingCard } from '../../../bot/cards/disks.ts'
import { figuresCard } from '../../../bot/cards/figures.ts'
import { helpCard } from '../../../bot/cards/help.ts'
import { hostsCard } from '../../../bot/cards/hosts.ts'
import { machineCard } from '../../../bot/cards/machine.ts'
import { machinesCard } from '../../../bot/cards/machines.ts'
import { poolCareCard } from '../../../bot/cards/pool.ts'
import { enrolForm, terminalsCard, waitingTerminalsCard } from '../../../bot/cards/terminals.ts'
import { pricesCard } from '../../../bot/cards/prices.ts'
import { confirmCard, notUnderstoodCard, outcomesCard, questionCard } from '../../../bot/cards/questions.ts'
import { quoteCard } from '../../../bot/cards/quote.ts'
import { faultCard, outageCard, refusalCard } from '../../../bot/cards/refusal.ts'
import { newsCard, requestCard } from '../../../bot/cards/request.ts'
import { statementCard, statementsCard } from '../../../bot/cards/statement.ts'
import { templatesCard } from '../../../bot/cards/templates.ts'
import { button } from '../../../bot/cards/parts.ts'
import { helpFor } from '../../../bot/grammar.ts'
import { Outage, Refusal } from '../../../src/base/errors.ts'
import { aCosts, aStatementView } from './money-views.ts'
import type { FiguresView } from '../../../src/operations/show-figures.ts'
import {
  aDrawing,
  aLeaseRequest,
  aLeaseView,
  aMachineView,
  aPoolView,
  aQuoteView,
  aRequestView,
  aRoll,
  aTerminalView,
  bobApproved,
} from './views.ts'

export const alice = aDrawing()
export const bob = aDrawing('bob')
const denied = { ...bobApproved, verdict: 'denied' as const, reason: 'the old one still works' }
const progress = {
  stage: 'copying the image',
  done: 1,
  of: 3,
  stages: [
    { name: 'reserving', state: 'done' as const, at: null },
    { name: 'copying the image', state: 'running' as const, at: null },
    { name: 'starting', state: 'waiting' as const, at: null },
  ],
}
const consolePages = {
  screen: 'https://vms.example.org/console/webafs20/screen',
  serial: 'https://vms.example.org/console/webafs20/serial',
}
const someFigures: FiguresView = {
  ...{ name: 'webafs20', hypervisor: 'wod', ref: 'vm-1', uptimeSeconds: 93_784, cpuLoad: 0.054 },
  ...{ memoryUsedGb: 1.23, heartbeat: 'ok', thumbnail: null, problems: [] },
  disks: [{ name: 'disk', sizeGb: 10, readBytes: 1_234_567, writtenBytes: 890_123 }],
  networks: [{ name: 'site', mac: '02:00:00:00:00:01', receivedBytes: 5_000_000, sentBytes: 40_000 }],
  snapshots: [{ name: 'before', takenAt: '2025-12-30T08:00:00.000Z' }],
}
const unknownFigures = {
  ...{ uptimeSeconds: null, cpuLoad: null, memoryUsedGb: null, heartbeat: 'none' as const, snapshots: [] },
  ...{ disks: [], networks: [], problems: ['Host cernwod01 does not respond.'] },
}
const making = aMachineView({ state: 'provisioning', address: null, progress, verbs: ['delete', 'extend'] })
const reminder: ExpiryFacts = {
  machine: aMachineView(),
  sentAt: '2025-12-31T11:00:00.000Z',
  extension: {
    expiresAt: '2026-03-02T11:00:00.000Z',
    quote: aQuoteView({ total: '111.00', days: 30 }),
    needsApproval: false,
  },
  grace: { months: 0, days: 7, millis: 0 },
}
const template = {
  name: 'slc5',
  title: 'SLC5 x64',
  os: 'linux',
  cpus: { default: 1, max: 4 },
  memoryGb: { default: 1, max: 32 },
}
export const budget = {
  ...{ code: 'T-1042', title: 'Detector controls', holders: ['bob'], limit: '2000.00', held: '107.30' },
  ...{ spent: '0.00', left: '1892.70', forecast: '107.30', share: 0.054, machines: 1, currency: 'CHF' },
  ...{ period: 'total' as const, periodName: null, delegates: [], closed: null, open: true },
}
const pool = { name: 'public', title: 'public', kind: 'shared' as const, ready: 2, total: 3, max: 10 }
const host = {
  ...{ name: 'cernwod03', hypervisor: 'wod', state: 'up' as const, group: 'central', cpus: 16, memoryGb: 64 },
  ...{ slots: 40, machines: 1, usedCpus: 2, usedMemoryGb: 4, seenAt: '2026-01-01T10:59:50.000Z' },
  drain: null,
}
const tariff = { name: 'standard', from: '2009-01-01', freeDays: 31, freeDaysCover: 'all' as const }
const prices = {
  currency: 'CHF',
  tariffs: [{ ...tariff, servers: true, holds: true, base: '0.96', perGb: '0.685', perCpu: '0.685' }],
}
const form = { kind: 'request' as const, known: { template: 'slc5', term: '60d' }, templates: [template] }

/** Every card that the bot can say, drawn from the same few facts: each platform's renderer is shown them all. */
export const cards: Readonly<Record<string, Card>> = {
  'request pending, for its requester': requestCard(
    { request: aRequestView(), lines: aQuoteView().lines, machines: [] },
    alice,
  ),
  'request being made': requestCard(
    {
      request: aRequestView({ state: 'approved', decisions: [bobApproved], machines: ['webafs20'] }),
      machines: [making],
    },
    alice,
  ),
  'request fulfilled with linux': requestCard(
    {
      request: aRequestView({ state: 'fulfilled', decisions: [bobApproved], machines: ['webafs20'] }),
      machines: [aMachineView()],
    },
    alice,
  ),
  'request fulfilled with windows': newsCard(
    {
      request: aRequestView({ state: 'fulfilled', decisions: [bobApproved], machines: ['webafs20'] }),
      machines: [aMachineView({ os: 'windows' })],
    },
    'done',
    alice,
  ),
  'request denied': requestCard(
    { request: aRequestView({ state: 'denied', decisions: [denied] }), machines: [] },
    alice,
  ),
  'approval wanted': requestCard({ request: aRequestView(), machines: [] }, bob),
  'approval beyond the budget': requestCard(
    { request: aRequestView({ leftAfter: '-7.30', shareAfter: 1.004 }), machines: [] },
    bob,
  ),
  'approval after the day of its quote': requestCard(
    {
      request: aRequestView({
        quote: { id: 'Q-1', total: '107.30', perDay: '3.70', validUntil: '2025-12-31T23:00:00.000Z' },
      }),
      machines: [],
    },
    bob,
  ),
  'approval at a price that went up': dearerCard(
    aRequestView(),
    {
      ...{ id: 'Q-2', total: '203.00', quoted: '107.30', perDay: '7.00', currency: 'CHF' },
      ...{ leftAfter: '1797.00', shareAfter: 0.1015 },
    },
    bob,
  ),
  'approval given': requestCard(
    {
      request: aRequestView({ state: 'approved', decisions: [bobApproved], machines: ['webafs20'] }),
      machines: [],
    },
    bob,
  ),
  'approval denied, for the other approver': requestCard(
    {
      request: aRequestView({
        state: 'denied',
        decisions: [denied],
        approvers: [
          { user: 'bob', why: 'holder of T-1042' },
          { user: 'carol', why: 'delegate for T-1042' },
        ],
      }),
      machines: [],
    },
    aDrawing('carol'),
  ),
  'machine running, for its owner': machineCard(aMachineView(), alice),
  'machine that somebody could be rid of': machineCard(
    aMachineView({
      savings: {
        ...{ day: '2026-01-01', freeDays: 12 },
        ...{ save: { perDay: '0.86' }, archive: { perDay: '2.10' } },
        delete: { perDay: '3.70', back: '66.60' },
      },
    }),
    alice,
  ),
  'machine running, for somebody who may only look': machineCard(aMachineView(), bob),
  'machine being made': machineCard(making, alice),
  'machine saved': machineCard(
    aMachineView({ state: 'saved', verbs: ['start', 'resume', 'delete', 'extend'] }),
    alice,
  ),
  'machine that never ends': machineCard(aMachineView({ expiresAt: null }), alice),
  'machine list': machinesCard(
    { which: 'mine', machines: [aMachineView(), making], more: true, asked: [aRequestView()], toDecide: [] },
    alice,
  ),
  'machine list, empty': machinesCard(
    { which: 'mine', machines: [], more: false, asked: [], toDecide: [] },
    alice,
  ),
  reminder: expiryCard(reminder, alice),
  'reminder whose extension needs somebody': expiryCard(
    { ...reminder, ...(reminder.extension && { extension: { ...reminder.extension, needsApproval: true } }) },
    alice,
  ),
  'reminder after an extension': expiryCard(
    {
      ...reminder,
      machine: aMachineView({
        extendedAt: '2026-01-01T10:30:00.000Z',
        expiresAt: '2026-03-02T11:00:00.000Z',
      }),
    },
    alice,
  ),
  'reminder of one let go': expiryCard({ ...reminder, machine: aMachineView({ letGo: true }) }, alice),
  'reminder of one that has expired': expiryCard(
    {
      ...reminder,
      machine: aMachineView({
        state: 'expired',
        expiresAt: '2025-12-31T11:00:00.000Z',
        verbs: ['delete', 'extend'],
      }),
    },
    alice,
  ),
  session: leaseCard({ lease: aLeaseView(), desktopPage: 'https://jackdaw.example.org/desktop' }, alice),
  'session about to end': leaseCard(
    {
      lease: aLeaseView({ endsAt: '2026-01-01T11:05:00.000Z' }),
      desktopPage: 'https://x.example.org',
      ending: true,
    },
    alice,
  ),
  'session over': leaseCard(
    {
      lease: aLeaseView({
        state: 'ended',
        endedAt: '2026-01-01T10:50:00.000Z',
        endReason: 'disconnected_too_long',
      }),
      desktopPage: 'https://x.example.org',
    },
    alice,
  ),
  'session offered': leaseCard(
    { lease: aLeaseView({ state: 'offered' }), desktopPage: 'https://jackdaw.example.org/desktop' },
    alice,
  ),
  pools: poolsCard([pool, { ...pool, name: 'developers', kind: 'persistent', lease: aLeaseView() }], alice),
  quote: quoteCard(
    aQuoteView(),
    { template: 'slc5', count: 1, cpus: 2, memoryGb: 4 },
    'request slc5 2cpu 4gb for 60d',
    alice,
  ),
  budget: budgetCard(budget),
  budgets: budgetsCard([budget, { ...budget, code: 'T-2000', title: 'Office automation' }]),
  'budget of a quarter that is nearly used up': budgetCard({
    ...{ ...budget, period: 'quarter', periodName: '2026-Q1', delegates: ['olga'] },
    ...{ spent: '1500.00', held: '300.00', left: '200.00', forecast: '2100.00', share: 0.9 },
  }),
  'budget warning': budgetWarningCard(
    { ...budget, spent: '1200.00', held: '400.00', left: '400.00', forecast: '1600.00', share: 0.8 },
    '80 % of T-1042 are held or spent: 1600.00 of 2000.00 CHF. 400.00 CHF are left.',
  ),
  'budget used up': budgetWarningCard(
    { ...budget, spent: '2000.00', held: '0.00', left: '0.00', forecast: '2000.00', share: 1 },
    '100 % of T-1042 are held or spent: 2000.00 of 2000.00 CHF. Nothing is left.',
  ),
  'costs of a budget': costsCard({
    ...{ whose: 'T-1042', by: 'Server', costs: aCosts(), budget: 'T-1042', further: [] },
    page: 'https://jackdaw.example.org/costs?of=T-1042',
  }),
  'costs of somebody who has none': costsCard({
    ...{ whose: 'your servers', by: 'Server', budget: undefined, further: ['T-1042'] },
    costs: { ...aCosts(), charged: '0.00', forecast: '0.00', months: [] },
    page: 'https://jackdaw.example.org/costs',
  }),
  'statement of a closed month': statementCard(
    aStatementView(),
    'https://jackdaw.example.org/budgets/T-1042/2025-12',
    alice,
  ),
  'statement of a month without charges': statementCard(
    aStatementView({ state: 'open', machines: [], days: 0, freeDays: 0, total: '0.00', rounded: '0.00' }),
    'https://jackdaw.example.org/budgets/T-1042/2025-12',
    alice,
  ),
  'statements of several budgets': statementsCard(
    [aStatementView(), aStatementView({ code: 'T-2000', title: 'Office automation', rounded: '0.00' })],
    '2025-12',
  ),
  prices: pricesCard(prices),
  hosts: hostsCard([host, { ...host, name: 'cernwod04', state: 'down' }], alice),
  templates: templatesCard([template]),
  'connect to linux': connectCard(aMachineView(), alice),
  'connect to one that is saved': connectCard(aMachineView({ state: 'saved', verbs: ['start'] }), alice),
  'order form': orderForm({ ...form, budgets: [budget], quote: aQuoteView(), faults: [] }, false),
  'order form with a fault': orderForm(
    { ...form, budgets: [budget], faults: [{ path: 'name', message: 'webafs20 is taken.' }] },
    true,
  ),
  'extend form': extendForm(aMachineView(), { term: '30d' }, [], alice),
  'resize form': resizeForm(aMachineView(), { cpus: '3', memory: '4' }, template, []),
  'deny form': denyForm('R-12', 'alice', []),
  'help of one verb': helpCard(helpFor(() => true, 'extend')),
  'help for a word that is none': helpCard(helpFor(() => true, 'extnd')),
  figures: figuresCard(someFigures, 'https://vms.example.org/machines/webafs20/library', alice),
  'figures, in part': figuresCard(
    { ...someFigures, ...unknownFigures },
    'https://vms.example.org/machines/webafs20/library',
    alice,
  ),
  'import of a disk': movingCard({
    title: 'Import old.vhdx',
    summary: 'old.vhdx is being taken in as image old.',
    page: 'https://vms.example.org/library',
  }),
  'files of disks': filesCard(
    [{ name: 'old.vhdx', bytes: 1_500_000_000, changedAt: '2026-11-23T08:00:00.000Z' }],
    'https://vms.example.org/library',
  ),
  console: consoleCard(aMachineView(), { kind: 'serial', pages: consolePages }, alice),
  'console, stopped': consoleCard(
    aMachineView({ state: 'stopped', verbs: ['start'] }),
    { kind: 'screen', pages: consolePages },
    alice,
  ),
  question: questionCard('30 what?', [
    { label: '30 hours', line: 'extend webafs20 for 30h' },
    { label: '30 days', line: 'extend webafs20 for 30d' },
  ]),
  'not understood, safe': notUnderstoodCard('I do not know "shwo". Did you mean show?', [
    { label: 'show webafs20', line: 'show webafs20', safe: true },
  ]),
  'not understood, careful': notUnderstoodCard('I do not know "delte". Did you mean delete?', [
    { label: 'delete webafs20', line: 'delete webafs20', safe: false },
  ]),
  'pool of operators': poolCareCard(aPoolView(), alice),
  'new version on its way': poolCareCard(
    aPoolView({ roll: { ...aRoll, state: 'rolling', endedAt: null } }),
    alice,
  ),
  'desktop that does not answer': leaseCard(
    {
      lease: aLeaseView({
        state: 'disconnected',
        trouble: {
          code: 'desktop_unreachable',
          text: 'Your desktop public-001 cannot be reached: host cernwod04 does not answer.',
        },
      }),
      desktopPage: 'https://vms.example.org/desktop',
    },
    alice,
  ),
  'desktop that was lost': leaseCard(
    {
      lease: aLeaseView({ state: 'ended', endedAt: '2026-01-01T11:00:00.000Z', endReason: 'desktop_lost' }),
      desktopPage: 'https://vms.example.org/desktop',
    },
    alice,
  ),
  'more time on a desktop, its approver': requestCard({ request: aLeaseRequest(), machines: [] }, bob),
  'more time on a desktop, free': requestCard(
    {
      request: aLeaseRequest({ budget: '', quote: { id: 'Q-1', total: '0.00', perDay: '0.00' } }),
      machines: [],
    },
    bob,
  ),
  'more time on a desktop, its requester': requestCard({ request: aLeaseRequest(), machines: [] }, alice),
  'terminals that wait': waitingTerminalsCard([aTerminalView()], alice),
  terminals: terminalsCard(
    [
      aTerminalView({
        ...{ name: 'lobby-1', standing: 'enrolled', pool: 'public', location: 'hall' },
        session: { lease: 'L-1', user: 'alice', pool: 'public', state: 'connected' },
      }),
    ],
    alice,
  ),
  'enrol form': enrolForm(
    { waiting: '?00:0b:3c:00:00:77', mac: '00:0b:3c:00:00:77' },
    { pools: ['public'] },
    [],
  ),
  confirm: confirmCard({
    question: 'Reset webafs20?',
    text: 'What was not written to disk is lost.',
    yes: button({
      label: 'Reset webafs20',
      action: 'reset-machine',
      value: 'webafs20',
      spoken: 'Reset webafs20',
    }),
  }),
  outcomes: outcomesCard('Start', [
    { name: 'a1', done: true, says: 'on its way' },
    { name: 'b1', done: false, says: 'b1 is busy.' },
  ]),
  'refusal with hosts': refusalCard(
    new Refusal('no_capacity', 'No host has room for it.', {
      hosts: [{ host: 'cernwod01', reasons: ['no slot is free', '2 GB are free'] }],
    }),
  ),
  outage: outageCard(new Outage('store_full', 'disk full', { transient: true })),
  fault: faultCard(),
}
