import { Refusal, refuse } from '../../src/base/errors.ts'
import { changeSettings, showSettings } from '../../src/operations/settings.ts'
import type { Card } from '../card.ts'
import { settingsCard } from '../cards/settings.ts'
import type { Talk } from './talk.ts'

type Fields = Readonly<Record<string, string>>

/** Shows how somebody is told things, after changing what the line says of it. */
export async function settings(
  talk: Talk,
  { settings: pairs }: { settings: readonly { name: string; value: string }[] },
): Promise<Card[]> {
  if (pairs.length === 0) return [settingsCard(await talk.perform(showSettings, {}))]
  return [settingsCard(await talk.perform(changeSettings, wishOf(pairs)))]
}

export async function submitSettings(talk: Talk, _value: string, fields: Fields): Promise<Card[]> {
  const names = ['notify', 'digest', 'hours', 'zone'] as const
  const pairs = names.map((name) => ({ name, value: fields[name] ?? '' }))
  try {
    const saved = await talk.perform(changeSettings, wishOf(pairs.filter(({ value }) => value !== '')))
    return [settingsCard(saved)]
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'invalid_input') throw error
    return [settingsCard(await talk.perform(showSettings, {}), fields, error.extras.errors ?? [])]
  }
}

const words = {
  notify: { dm: 'direct', direct: 'direct', me: 'direct', channel: 'channel' },
  digest: { on: true, yes: true, daily: true, off: false, no: false },
} as const

interface Wish {
  notify?: 'direct' | 'channel'
  digest?: boolean
  hours?: string
  zone?: string
}

/** What pairs of words mean. @throws Refusal `invalid_input` for a name or a word that means nothing here. */
function wishOf(pairs: readonly { name: string; value: string }[]): Wish {
  let wish: Wish = {}
  for (const { name, value } of pairs) wish = { ...wish, ...wishFor(name, value.trim()) }
  return wish
}

function wishFor(name: string, value: string): Wish {
  const said = value.toLowerCase()
  switch (name) {
    case 'notify':
      return { notify: oneOf(words.notify, name, said) }
    case 'digest':
      return { digest: oneOf(words.digest, name, said) }
    case 'hours':
      return { hours: said === 'always' ? said : span(value) }
    case 'quiet':
      return {
        hours: said === 'off' || said === 'never' ? 'always' : span(value).split('-').reverse().join('-'),
      }
    case 'zone':
      return { zone: said === 'site' ? said : value }
    default:
      return refuse(
        'invalid_input',
        `There is no setting "${name}". There are notify, digest, hours and zone.`,
      )
  }
}

function oneOf<V>(known: Readonly<Record<string, V>>, name: string, value: string): V {
  const meant = Object.hasOwn(known, value) ? known[value] : undefined
  if (meant !== undefined) return meant
  const says = `${name} is ${Object.keys(known).join(', ')}`
  return refuse('invalid_input', `"${value}" is no value of ${name}: ${says}.`, {
    errors: [{ path: name, message: says }],
  })
}

/** `8-18`, `08:00 - 18:00` and the like as `08:00-18:00`; whatever else as it is, for the operation to refuse. */
function span(value: string): string {
  const [, fromHour, fromMinute = '00', toHour, toMinute = '00'] =
    /^(\d{1,2})(?::(\d\d))?\s*(?:-|to)\s*(\d{1,2})(?::(\d\d))?$/.exec(value) ?? []
  if (fromHour === undefined || toHour === undefined) return value
  return `${fromHour.padStart(2, '0')}:${fromMinute}-${toHour.padStart(2, '0')}:${toMinute}`
}
