import { pageAt } from '../facts.ts'
import type { Site } from '../../src/operations/site.ts'
import type { MattermostRule } from '../rules.ts'
import type { Api } from './api.ts'
import type { Command } from './schema.ts'

export interface SetupServices {
  /** With the token of somebody who may manage the team's slash commands. */
  api: Api
  rule: MattermostRule
  site: Pick<Site, 'name' | 'publicUrl'>
}

/** What is done about one command. */
interface Step {
  trigger: string
  does: 'make' | 'change' | 'keep' | 'refuse'
  says: string
  wanted: Parameters<Api['saveCommand']>[0]
  known: Command | undefined
}

const commands = [
  { trigger: 'vm', hint: '[request|list|show|extend|…]', about: 'Servers on request: say "/vm help".' },
  { trigger: 'desktop', hint: '[POOL|list|extend|end]', about: 'Your desktops: say "/desktop list".' },
]

/**
 * Registers `/vm` and `/desktop` in the site's team, or says what it would do.
 * @returns what was or would be done, line by line; the tokens of the commands stand in it only when they were registered
 */
export async function setUpCommands(services: SetupServices, apply: boolean): Promise<string> {
  const { api, rule } = services
  const team = await api.team(rule.team)
  if (team === undefined)
    return `There is no team ${rule.team} on ${rule.url}, or this token does not see it.\n`
  const known = await api.commands(team.id)
  const steps = commands.map((command) => stepFor(command, { ...services, team: team.id, known }))
  const plan = steps.map(({ trigger, says }) => `/${trigger}: ${says}`)
  if (steps.some(({ does }) => does === 'refuse')) return lines([...plan, 'Nothing was changed.'])
  if (!apply) return lines([...plan, 'Nothing was changed yet. Say --apply to do it.'])
  const done = await inTurn(steps, (step) => carriedOut(api, step))
  const tokens = done.map(({ trigger, token }) => `${trigger}:${token}`).join(' ')
  return lines([
    ...plan,
    'Done. Put this into the environment of the service:',
    `MATTERMOST_COMMAND_TOKEN="${tokens}"`,
  ])
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`
}

type Wanted = (typeof commands)[number]

function stepFor(
  { trigger, hint, about }: Wanted,
  { site, team, known }: Pick<SetupServices, 'site'> & { team: string; known: readonly Command[] },
): Step {
  const url = pageAt(site, '/mattermost/command')
  const found = known.find((command) => command.trigger === trigger && command.delete_at === 0)
  const wanted = {
    ...{ team_id: team, trigger, method: 'P', url, username: '', auto_complete: true },
    ...{ auto_complete_hint: hint, auto_complete_desc: about, display_name: site.name, description: about },
    ...(found === undefined ? {} : { id: found.id }),
  }
  return { trigger, wanted, known: found, ...decided(found, wanted) }
}

function decided(found: Command | undefined, wanted: Step['wanted']): Pick<Step, 'does' | 'says'> {
  if (found === undefined) return { does: 'make', says: `is registered with ${wanted.url}` }
  if (!found.url.endsWith('/mattermost/command')) {
    return { does: 'refuse', says: `belongs to another integration (${found.url}). Remove it there first.` }
  }
  const { id: _id, ...fields } = wanted
  const facts: Readonly<Record<string, unknown>> = found
  const differs = Object.entries(fields).some(([name, value]) => facts[name] !== value)
  if (!differs) return { does: 'keep', says: 'stays as it is' }
  const moved = found.url === wanted.url ? '' : ` and moved from ${found.url} to ${wanted.url}`
  return { does: 'change', says: `is changed${moved}; its token stays` }
}

async function carriedOut(
  api: Api,
  { trigger, does, wanted, known }: Step,
): Promise<{ trigger: string; token: string }> {
  const kept = does === 'keep' ? known : undefined
  return { trigger, token: (kept ?? (await api.saveCommand(wanted))).token }
}

async function inTurn<A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> {
  const done: B[] = []
  for (const item of items) done.push(await work(item))
  return done
}
