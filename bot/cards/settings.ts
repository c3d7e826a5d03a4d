import type { SettingsView } from '../../src/operations/settings.ts'
import type { Card } from '../card.ts'
import { card, field, type FieldFault } from './parts.ts'

/** How and when somebody is told things, to look at and to change. */
export function settingsCard(
  settings: SettingsView,
  known: Readonly<Record<string, string>> = {},
  faults: readonly FieldFault[] = [],
): Card {
  const { notify, digest, hours, zone } = settings
  const where = notify === 'direct' ? 'in a conversation of your own' : 'in the channel of this site'
  const when = digest
    ? 'once a day'
    : hours === 'always'
      ? 'at any time'
      : `from ${hours.replace('-', ' to ')}, Monday to Friday`
  return card({
    summary: faults[0]?.message ?? `You are told ${where}; what can wait, ${when} (${zone}).`,
    title: 'Settings',
    tone: faults.length > 0 ? 'warn' : 'neutral',
    parts: [
      {
        kind: 'form',
        action: 'settings',
        value: '',
        submit: 'Save',
        fields: [
          field(
            {
              name: 'notify',
              label: 'Where you are told',
              kind: 'choice',
              value: known.notify ?? notify,
              required: true,
              choices: [
                { value: 'direct', label: 'In a conversation of your own' },
                { value: 'channel', label: "In the site's channel, where it is no secret" },
              ],
            },
            faults,
          ),
          field(
            {
              name: 'digest',
              label: 'Reminders',
              kind: 'choice',
              value: known.digest ?? (digest ? 'on' : 'off'),
              required: true,
              choices: [
                { value: 'off', label: 'As they come, in my working hours' },
                { value: 'on', label: 'Once a day, when my working hours begin' },
              ],
            },
            faults,
          ),
          field(
            {
              name: 'hours',
              label: 'Working hours',
              value: known.hours ?? hours,
              hint: 'such as 08:00-18:00 on Monday to Friday, or always',
              required: true,
            },
            faults,
          ),
          field(
            {
              name: 'zone',
              label: 'Time zone',
              value: known.zone ?? settings.chosenZone ?? 'site',
              hint: `such as Europe/Zurich; site means ${zone}`,
              required: true,
            },
            faults,
          ),
        ],
      },
    ],
  })
}
