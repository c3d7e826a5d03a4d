import type { Card } from './card.ts'
import {
  answerReminder,
  extendByButton,
  previewExtend,
  previewResize,
  submitExtend,
  submitResize,
} from './commands/changes.ts'
import * as desktops from './commands/desktops.ts'
import { edit, submitEdit } from './commands/edit.ts'
import { drainNow, rebalanceNow, takeBackAll } from './commands/hosts.ts'
import { archiveNow, captureNow, restore, revertNow, submitCopies } from './commands/images.ts'
import { remove, show, showRequest } from './commands/machines.ts'
import { previewOrder, submitOrder } from './commands/order.ts'
import { roll, stopRolling } from './commands/pools.ts'
import { steer } from './commands/power.ts'
import { lineCard } from './cards/questions.ts'
import { approveByButton, askDenial, decide, submitDenial } from './commands/requests.ts'
import { submitSettings } from './commands/settings.ts'
import type { Talk } from './commands/talk.ts'
import { askEnrolment, deny, submitEnrolment } from './commands/terminals.ts'
import { submitTransfer, transfer } from './commands/transfer.ts'
import type { Control } from './cards/machine.ts'
import { leaseMinutes } from './cards/desktop.ts'

/** A press: what the button is about, and what was typed when it asked for something. */
export interface Pressed {
  value: string
  answer: string | undefined
}

type Press = (talk: Talk, pressed: Pressed) => Promise<Card[]>

const steerBy =
  (control: Control): Press =>
  (talk, { value }) =>
    steer(talk, control, value.split(' '))

/** What each button does. Who may is decided by the operation behind it, not by who was shown the button. */
export const presses: ReadonlyMap<string, Press> = new Map<string, Press>([
  ['approve-request', (talk, { value }) => approveByButton(talk, value)],
  ['deny-request', (talk, { value, answer = '' }) => submitDenial(talk, value, answer)],
  ['cancel-request', (talk, { value }) => decide(talk, { verb: 'cancel', request: value })],
  ['edit-request', (talk, { value }) => edit(talk, { request: value })],
  ['transfer-machine', (talk, { value }) => transfer(talk, { machine: value })],
  ['show-request', (talk, { value }) => showRequest(talk, value)],
  ['show-machine', (talk, { value }) => show(talk, { machine: value })],
  ['start-machine', steerBy('start')],
  ['resume-machine', steerBy('resume')],
  ['shutdown-machine', steerBy('shutdown')],
  ['save-machine', steerBy('save')],
  ['reset-machine', steerBy('reset')],
  ['power-off-machine', steerBy('power-off')],
  ['extend-machine', (talk, { value }) => extendByButton(talk, value)],
  ['revert-machine', (talk, { value }) => revertNow(talk, value)],
  ['capture-machine', (talk, { value }) => captureNow(talk, value)],
  ['archive-machine', (talk, { value }) => archiveNow(talk, value)],
  ['restore-machine', (talk, { value }) => restore(talk, { machine: value })],
  ['drain-host', (talk, { value }) => drainNow(talk, value)],
  ['apply-rebalance', (talk, { value }) => rebalanceNow(talk, value)],
  ['return-host', (talk, { value }) => takeBackAll(talk, value)],
  ['delete-machine', (talk, { value }) => remove(talk, value)],
  ['expiry-extend', (talk, { value }) => answerReminder(talk, 'extend', value)],
  ['expiry-save', (talk, { value }) => answerReminder(talk, 'save', value)],
  ['expiry-snooze', (talk, { value }) => answerReminder(talk, 'snooze', value)],
  ['expiry-let-go', (talk, { value }) => answerReminder(talk, 'let-go', value)],
  ['open-desktop', (talk, { value }) => desktops.openIn(talk, value)],
  ['extend-lease', (talk, { value }) => desktops.extendBy(talk, value, { minutes: leaseMinutes })],
  ['roll-pool', (talk, { value }) => roll(talk, { pool: value })],
  ['stop-roll', (talk, { value }) => stopRolling(talk, value)],
  ['enrol-terminal', (talk, { value }) => askEnrolment(talk, value)],
  ['deny-terminal', (talk, { value }) => deny(talk, value)],
  ['end-lease', (talk, { value }) => desktops.endNow(talk, value)],
])

type Submit = (talk: Talk, value: string, fields: Readonly<Record<string, string>>) => Promise<Card[]>

/** What each form does. */
export const submits: ReadonlyMap<string, Submit> = new Map<string, Submit>([
  ['request', (talk, host, fields) => submitOrder(talk, 'request', host, fields)],
  ['quote', (talk, host, fields) => submitOrder(talk, 'quote', host, fields)],
  ['edit-request', submitEdit],
  ['transfer', submitTransfer],
  ['extend', submitExtend],
  ['resize', submitResize],
  ['clone', submitCopies],
  ['settings', submitSettings],
  ['enrol-terminal', submitEnrolment],
  ['deny-request', (talk, id, { reason = '' }) => submitDenial(talk, id, reason)],
])

/** What each form shows while it is being filled in. A form without a row stays as it is. */
export const previews: ReadonlyMap<string, Submit> = new Map<string, Submit>([
  ['request', (talk, host, fields) => previewOrder(talk, 'request', host, fields)],
  ['quote', (talk, host, fields) => previewOrder(talk, 'quote', host, fields)],
  ['extend', previewExtend],
  ['resize', previewResize],
  ['deny-request', (talk, id) => askDenial(talk, id)],
  ['run', async (_talk, _value, { line = '' }) => [lineCard(line)]],
])
