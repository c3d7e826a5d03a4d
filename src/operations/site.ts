import type { DesktopPolicy } from '../../broker/pool-standing.ts'
import type { PoolRule } from '../../broker/pool.ts'
import type { TerminalRule } from '../../broker/terminal.ts'
import { type BudgetRule, delegatesOn } from '../../pricing/budget.ts'
import type { PricePolicy, Tariff } from '../../pricing/tariff.ts'
import type { LocalDay } from '../base/period.ts'
import type { AccountRule } from '../identity/account-rule.ts'
import type { Role } from '../identity/person.ts'
import type { MachinePolicy } from '../machines/expiry.ts'
import type { GroupRule } from '../machines/group.ts'
import type { Template } from '../machines/template.ts'
import type { ApprovalPolicy } from '../requests/approval.ts'

/** What a site's file says about policy, as operations read it. Where things listen and store is not among it. */
export interface Site {
  name: string
  timezone: string
  currency: string
  publicUrl: string
  rdp: {
    publicAddress: string
    /** The Remote Desktop Gateway that files name, where the site has one. */
    gateway: string | null
  }
  roles: Record<Role, readonly string[]>
  /** Each hypervisor's part in placement. `hosts` is empty where the driver finds them itself. */
  hypervisors: readonly {
    name: string
    /** Whether machines on it have guests that people get into; a simulated one has none. */
    real: boolean
    overcommit: { cpus: number; memory: number }
    hosts: readonly { name: string; group: string }[]
    /** Discs that empty machines may boot from, by name. */
    discs: readonly string[]
  }[]
  /** Groups of hosts that are a class of their own. Others may be named by hosts alone. */
  groups: readonly GroupRule[]
  templates: readonly Template[]
  /** In order of their first day. */
  tariffs: readonly Tariff[]
  budgets: readonly BudgetRule[]
  policies: {
    approvals: ApprovalPolicy
    machines: MachinePolicy
    /** What a machine's name must look like. */
    names: RegExp
    prices: PricePolicy
    desktops: DesktopPolicy
  }
  pools: readonly PoolRule[]
  terminals: readonly TerminalRule[]
  /** Where files of disks are, which hypervisors can reach too; null where the site keeps none. */
  library: { folder: string; uploadGb: number } | null
  /** Whether there is a channel in which requests are announced. */
  announces: boolean
  /** How it is found out whose a chat account is. */
  accounts: AccountRule
}

/** The site on a day: with the delegates of that day, so that nobody who reads it has to ask for the date. */
export function siteOn(site: Site, day: LocalDay): Site {
  if (site.budgets.every(({ datedDelegates }) => datedDelegates.length === 0)) return site
  const budgets = site.budgets.map((rule) => ({ ...rule, delegates: delegatesOn(rule, day) }))
  return { ...site, budgets: budgets.map((rule) => ({ ...rule, datedDelegates: [] })) }
}
