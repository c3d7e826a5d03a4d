import type { Verb } from './commands.ts'
import { imageVerbs } from './image-verbs.ts'
import { otherVerbs } from './other-verbs.ts'
import { serverVerbs } from './server-verbs.ts'

/** What may be said beside a verb, in any order. */
export type Slot =
  | 'template'
  | 'count'
  | 'name'
  | 'size'
  | 'more'
  | 'term'
  | 'budget'
  | 'host'
  | 'group'
  | 'administrators'
  | 'disk'
  | 'text'
  | 'image'
  | 'month'

/** What is recognised by its place: the words that are left over, in this order. */
export type Place =
  'machine' | 'machines' | 'snapshot' | 'file' | 'image' | 'name' | 'host' | 'budget' | 'pool' | 'template'

/** One verb: how it is typed, and what help says of it. The parser and help both read this. */
export interface Usage {
  verb: Verb
  /** What people type: the name first, then other words for it. Two words stand with a space. */
  names: readonly string[]
  group: 'Servers' | 'Requests' | 'Images' | 'Costs' | 'Desktops' | 'Hosts' | 'More'
  usage: string
  summary: string
  examples: readonly string[]
  takes: readonly Slot[]
  places: readonly Place[]
  /** Whether a corrected line may be run at a press: nothing is lost and no new money is asked for. */
  safe: boolean
}

/** How each slot is written, for help. */
export const slotHelp: Readonly<Record<Slot, readonly [form: string, means: string]>> = {
  template: ['TEMPLATE', 'what to install; see templates'],
  count: ['x3 · 3 servers', 'how many'],
  name: ['name web1', 'its name; one is chosen when you leave it out'],
  size: ['2cpu 4gb', 'CPUs and memory'],
  more: ['more memory · more cpus', 'asks how much'],
  term: [
    '30d · 2 weeks · 1mo · 8h · until 2026-12-31 · until fri 17:00 · never',
    'how long; m is minutes, mo months',
  ],
  budget: ['budget T-1042', 'the code that pays'],
  host: ['host NAME', 'a certain host, for operators'],
  group: ['class batch', 'a class of hosts, with prices and terms of its own'],
  disk: ['disk 20gb · boot network · boot DISC', 'for a template that is an empty disk'],
  administrators: ['admins @group, person', 'who may do what you may; be a member of the group yourself'],
  text: ['why "…" · description "…"', 'the purpose, which its approver reads; what it is'],
  image: ['image NAME', 'the name of the image'],
  month: ['2026-11 · last month', 'which month'],
}

export const usages: readonly Usage[] = [...serverVerbs, ...imageVerbs, ...otherVerbs]

/** Each way of typing a verb, with its row. */
export const usageByName: ReadonlyMap<string, Usage> = new Map(
  usages.flatMap((row) => row.names.map((name) => [name, row] as const)),
)

export function usageOf(verb: Verb): Usage {
  const row = usages.find((usage) => usage.verb === verb)
  if (row === undefined) throw new Error(`no usage for ${verb}`)
  return row
}
