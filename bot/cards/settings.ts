import type { SettingsView } from '../../src/operations/settings.ts'
import type { Card } from '../card.ts'
import { card, field, type FieldFault, type FieldSpec } from './parts.ts'

type Known = Readonly<Record<string, string>>

/** How and when somebody is told things, to look at and to change. */
export function settingsCard(
  settings: SettingsView,
  known: Known = {},
  faults: readonly FieldFault[] = [],
): Card {
  const { notify, zone } = settings
  const where = notify === 'direct' ? 'in a conversation of your own' : 'in the channel of this site'
  const fields = fieldsOf(settings, known).map((spec) => field({ ...spec, required: true }, faults))
  return card({
    summary: faults[0]?.message ?? `You are told ${where}; what can wait, ${whenWords(settings)} (${zone}).`,
    title: 'Settings',
    tone: faults.length > 0 ? 'warn' : 'neutral',
    parts: [{ kind: 'form', action: 'settings', value: '', submit: 'Save', fields }],
  })
}

function whenWords({ digest, hours }: SettingsView): string {
  if (digest) return 'once a day'
  return hours === 'always' ? 'at any time' : `from ${hours.replace('-', ' to ')}, Monday to Friday`
}

function fieldsOf({ notify, digest, hours, zone, chosenZone }: SettingsView, known: Known): FieldSpec[] {
  const places = [
    { value: 'direct', label: 'In a conversation of your own' },
    { value: 'channel', label: "In the site's channel, where it is no secret" },
  ]
  const times = [
    { value: 'off', label: 'As they come, in my working hours' },
    { value: 'on', label: 'Once a day, when my working hours begin' },
  ]
  const isDaily = digest ? 'on' : 'off'
  return [
    { ...choice('notify', 'Where you are told', known.notify ?? notify), choices: places },
    { ...choice('digest', 'Reminders', known.digest ?? isDaily), choices: times },
    {
      ...{ name: 'hours', label: 'Working hours', value: known.hours ?? hours },
      hint: 'such as 08:00-18:00 on Monday to Friday, or always',
    },
    {
      ...{ name: 'zone', label: 'Time zone', value: known.zone ?? chosenZone ?? 'site' },
      hint: `such as Europe/Zurich; site means ${zone}`,
    },
  ]
}

function choice(name: string, label: string, value: string): FieldSpec {
  return { name, label, kind: 'choice', value }
}
