import type { Card } from './card.ts'
import { extend, resize } from './commands/changes.ts'
import { costs } from './commands/costs.ts'
import { figures, takeIn, writeOut } from './commands/disks.ts'
import * as desktops from './commands/desktops.ts'
import { edit } from './commands/edit.ts'
import { help } from './commands/help.ts'
import { drain, explain, rebalance, takeBack } from './commands/hosts.ts'
import { archive, capture, clone, restore, revert, snapshot } from './commands/images.ts'
import { hosts, prices, showBudgets, templates } from './commands/lookups.ts'
import { askDelete, connect, list, openConsole, show } from './commands/machines.ts'
import { quote, request } from './commands/order.ts'
import * as pools from './commands/pools.ts'
import { power } from './commands/power.ts'
import { decide } from './commands/requests.ts'
import { settings } from './commands/settings.ts'
import type { Talk } from './commands/talk.ts'
import { terminals } from './commands/terminals.ts'
import { transfer } from './commands/transfer.ts'
import type { Command, Verb } from './grammar.ts'

/** The command that a verb stands in. */
type CommandOf<V extends Verb, C = Command> = C extends { verb: infer W }
  ? V extends W
    ? C & { verb: V }
    : never
  : never

type Commands = { [V in Verb]: CommandOf<V> }
type Answers = { [V in Verb]: (talk: Talk, command: Commands[V]) => Promise<Card[]> }

/** How each verb of the grammar is answered. A verb without a row does not compile. */
const answers: Answers = {
  request,
  quote,
  list,
  show,
  connect,
  start: power,
  stop: power,
  off: power,
  reset: power,
  save: power,
  resume: power,
  extend,
  resize,
  delete: askDelete,
  transfer,
  edit,
  approve: decide,
  deny: decide,
  cancel: decide,
  budget: showBudgets,
  costs,
  prices,
  templates,
  hosts,
  help,
  'desktop-open': desktops.open,
  'desktop-list': desktops.list,
  'desktop-extend': desktops.extend,
  'desktop-end': desktops.end,
  'desktop-pool': pools.showCare,
  'desktop-roll': pools.roll,
  'desktop-terminals': terminals,
  console: openConsole,
  figures,
  import: takeIn,
  export: writeOut,
  snapshot,
  revert,
  capture,
  archive,
  restore,
  clone,
  settings,
  explain,
  rebalance,
  drain,
  return: takeBack,
}

/** Carries out a command that was understood. @throws Refusal and Outage as the operations do. */
export function answer(talk: Talk, command: Command): Promise<Card[]> {
  return answerOf(talk, command.verb, command)
}

function answerOf<V extends Verb>(talk: Talk, verb: V, command: Commands[V]): Promise<Card[]> {
  return answers[verb](talk, command)
}
