import { counted } from '../../src/base/text.ts'
import type { PoolCareView } from '../../src/operations/shapes/pool.ts'
import type { Card, Part } from '../card.ts'
import type { Drawing } from './drawing.ts'
import { button, buttons, card, facts } from './parts.ts'
import { when } from './words.ts'

/** A pool for its operators: what it keeps ready and why, and how far a new version has come. */
export function poolCareCard(pool: PoolCareView, drawing: Drawing): Card {
  const { name, desktops, keeps, roll } = pool
  const { ready, saved, coming, waiting, total, max } = desktops
  return card({
    summary: roll?.state === 'rolling' ? rolling(pool) : standing(pool),
    title: `Pool ${name}`,
    tone: roll?.state === 'rolling' ? 'wait' : pool.state === 'open' ? 'neutral' : 'warn',
    about: `pool:${name}`,
    parts: [
      facts(
        ['Ready', `${ready}, and ${saved} saved${coming === 0 ? '' : `; ${coming} on the way`}`],
        ['Keeps', `${keeps.ready} ready, ${keeps.saved} saved: ${keeps.why}`],
        ['Made', `${total} of at most ${max}`],
        ['Waiting', waiting === 0 ? null : counted(waiting, 'person').replace('persons', 'people')],
        ['Template', pool.version === null ? pool.template : `${pool.template}, version ${pool.version}`],
        ['New version', roll === null ? null : rollWords(roll)],
        ['Begun', roll === null ? null : `by ${roll.by}, ${when(roll.at, drawing)}`],
      ),
      rollButtons(pool),
    ],
  })
}

function standing({ name, state, reason, desktops: { ready } }: PoolCareView): string {
  if (state === 'open') return `Pool ${name} is open, with ${counted(ready, 'desktop')} ready.`
  const why = reason === null ? '' : `: ${reason}`
  return `Pool ${name} is ${state}${why}.`
}

function rolling({ name, roll }: PoolCareView): string {
  const fresh = roll?.fresh ?? 0
  const all = fresh + (roll?.left ?? 0) + (roll?.inUse ?? 0)
  return `A new version goes through pool ${name}: ${fresh} of ${counted(all, 'desktop')} ${fresh === 1 ? 'has' : 'have'} it.`
}

const rollStates = { rolling: 'on its way', stopped: 'stopped', done: 'through' } as const

/** How far a new version has come, in one line. */
export function rollWords(roll: NonNullable<PoolCareView['roll']>): string {
  const { state, version, fresh, left, inUse, kept, aside } = roll
  const parts = [
    `${fresh} new`,
    `${left} to go`,
    inUse === 0 ? '' : `${inUse} in use, which follow after their session`,
    kept === 0 ? '' : `${kept} somebody’s own, which stay as they are`,
    aside === 0 ? '' : `${aside} set aside`,
  ]
  const name = version === null ? '' : `${version} is `
  return `${name}${rollStates[state]}: ${parts.filter((part) => part !== '').join(', ')}`
}

function rollButtons({ name, roll }: PoolCareView): Part | undefined {
  if (roll?.state === 'rolling') {
    return buttons(
      button({
        label: 'Stop',
        action: 'stop-roll',
        value: name,
        style: 'danger',
        spoken: `Stop the new version in pool ${name}`,
      }),
    )
  }
  return buttons(
    button({
      label: roll?.state === 'stopped' ? 'Go on with the new version' : 'Send a new version through',
      action: 'roll-pool',
      value: name,
      spoken: `Send a new version of the template through pool ${name}`,
      confirm: {
        title: `A new version for pool ${name}?`,
        text: 'Unused desktops are made anew one at a time, those in use after their session. Nobody is disturbed, and people’s own desktops stay as they are.',
        yes: 'Send it',
      },
    }),
  )
}
