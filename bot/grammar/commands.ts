import type { Term } from './terms.ts'

/** What may be said of new machines. Whatever is missing is asked for in a form. */
export interface Wanted {
  template?: string
  count?: number
  name?: string
  cpus?: number
  memoryGb?: number
  term?: Term
  budget?: string
  host?: string
  /** The group of hosts that they are to be on. */
  group?: string
  /** How large an empty disk is, and what it boots from: `network`, or the name of a disc. */
  diskGb?: number
  boot?: string
  /** Users and groups, without `@`. */
  administrators?: string[]
  description?: string
  purpose?: string
}

type Copied = Pick<Wanted, 'term' | 'budget' | 'purpose'>

export type PowerVerb = 'start' | 'stop' | 'off' | 'reset' | 'save' | 'resume'

/** One thing that a person asked for, in the contract's grammar. Optional slots are those they may leave out. */
export type Command =
  | ({ verb: 'request' | 'quote' } & Wanted)
  | { verb: 'list'; which: 'mine' | 'all' | 'expiring' }
  | { verb: 'show' | 'delete' | 'connect' | 'restore'; machine?: string }
  | { verb: PowerVerb; machines: string[] }
  | { verb: 'extend' | 'archive'; machine?: string; term?: Term }
  /** `more` is what there should be more of, when nobody said how much. */
  | { verb: 'resize'; machine?: string; cpus?: number; memoryGb?: number; more?: 'cpus' | 'memory' }
  | { verb: 'transfer'; machine?: string; budget?: string }
  | { verb: 'edit'; request?: string }
  | { verb: 'approve' | 'deny' | 'cancel'; request?: string; reason?: string }
  | { verb: 'console'; machine?: string; console: 'screen' | 'serial' }
  /** A snapshot is never named without its machine. */
  | { verb: 'snapshot' | 'revert'; machine?: string; snapshot?: string }
  /** `count` is how many machines are wanted from the image, none when only the image is. */
  | ({ verb: 'capture'; machine?: string; image?: string; count?: number } & Copied)
  | ({
      verb: 'clone'
      machine?: string
      template?: string
      name?: string
      cpus?: number
      memoryGb?: number
    } & Copied)
  | { verb: 'figures'; machine?: string }
  | { verb: 'import'; file?: string; image?: string; template?: string }
  /** A file is never named without its image. */
  | { verb: 'export'; image?: string; file?: string }
  | { verb: 'budget'; budget?: string }
  /** `month` is `yyyy-mm`. */
  | { verb: 'costs'; budget?: string; month?: string }
  | { verb: 'prices' | 'templates' | 'hosts' }
  | { verb: 'rebalance'; goal?: 'spread' | 'consolidate' }
  | ({ verb: 'explain' } & Pick<Wanted, 'template' | 'count' | 'cpus' | 'memoryGb' | 'host'>)
  | { verb: 'drain' | 'return'; host?: string }
  | { verb: 'help'; word?: string }
  | { verb: 'settings'; settings: { name: string; value: string }[] }
  | { verb: 'desktop-open' | 'desktop-end' | 'desktop-pool' | 'desktop-roll'; pool?: string }
  | { verb: 'desktop-list' | 'desktop-terminals' }
  | { verb: 'desktop-extend'; pool?: string; term?: Term }

export type Verb = Command['verb']
