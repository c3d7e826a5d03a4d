import { IANAZone } from 'luxon'
import { z } from 'zod'
import { type Settings, usualSettings, zoneOf } from '../notices/settings.ts'
import type { ReadTransaction } from '../store/store.ts'
import { change, query } from './operation.ts'
import { anybody, operators } from './rules.ts'
import { text } from './shapes/fields.ts'

const time = '([01]\\d|2[0-3]):[0-5]\\d'
const hoursPattern = new RegExp(`^${time}-${time}$`)

const Hours = z.union([
  z.literal('always'),
  z.string().regex(hoursPattern, 'hours such as 08:00-18:00, or always'),
])
const Zone = z.union([
  z.literal('site'),
  z.string().refine((name) => IANAZone.isValidZone(name), 'a time zone such as Europe/Zurich, or site'),
])

const SettingsShape = z.object({
  notify: z.enum(['direct', 'channel']),
  digest: z.boolean(),
  /** `08:00-18:00`, or `always`. */
  hours: z.string(),
  /** The zone that counts, chosen or not. */
  zone: z.string(),
  chosenZone: z.string().nullable(),
})
export type SettingsView = z.infer<typeof SettingsShape>

export const showSettings = query({
  name: 'show-settings',
  summary: 'Show how and when you are told things.',
  http: { method: 'GET', path: '/settings' },
  input: z.object({ user: text(200).optional() }),
  output: SettingsShape,
  allow: ({ caller }, { user }) =>
    user === undefined || user === caller.user ? undefined : operators({ caller }),
  run: async ({ tx, caller, site }, { user = caller.user }) =>
    viewOf(await settingsOf(tx, user), site.timezone),
})

export const changeSettings = change({
  name: 'change-settings',
  summary: 'Change how and when you are told things.',
  http: { method: 'POST', path: '/settings' },
  input: z.object({
    notify: z.enum(['direct', 'channel']).optional(),
    digest: z.boolean().optional(),
    hours: Hours.optional(),
    zone: Zone.optional(),
  }),
  output: SettingsShape,
  allow: anybody,
  async run({ tx, caller, site }, { notify, digest, hours, zone }) {
    const known = await settingsOf(tx, caller.user)
    const next: Settings = {
      ...known,
      notify: notify ?? known.notify,
      digest: digest ?? known.digest,
      hours: hours === undefined ? known.hours : hoursOf(hours),
      zone: zone === undefined ? known.zone : zone === 'site' ? null : zone,
    }
    await tx.settings.put(next)
    return viewOf(next, site.timezone)
  },
})

/** For the chats: the time zone that a platform says somebody reads times in. */
export const noteZone = change({
  name: 'note-zone',
  summary: 'Note the time zone that your chat tells.',
  http: null,
  unaudited: true,
  input: z.object({ zone: z.string().max(60) }),
  output: z.object({}),
  allow: anybody,
  async run({ tx, caller }, { zone }) {
    const known = await settingsOf(tx, caller.user)
    if (known.seenZone !== zone && IANAZone.isValidZone(zone))
      await tx.settings.put({ ...known, seenZone: zone })
    return {}
  },
})

export async function settingsOf(tx: ReadTransaction, user: string): Promise<Settings> {
  return (await tx.settings.get(user)) ?? usualSettings(user)
}

function hoursOf(text: string): Settings['hours'] {
  const [from, to] = text.split('-')
  return from === undefined || to === undefined ? null : { from, to }
}

function viewOf(settings: Settings, siteZone: string): SettingsView {
  const { notify, digest, hours, zone } = settings
  return {
    ...{ notify, digest, zone: zoneOf(settings, siteZone), chosenZone: zone },
    hours: hours === null ? 'always' : `${hours.from}-${hours.to}`,
  }
}
