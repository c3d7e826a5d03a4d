import type { Refusal } from '../../base/errors.ts'
import { changeSettings, type SettingsView, showSettings } from '../../operations/settings.ts'
import { Field } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { attempt, type Visit } from '../visit.ts'
import { Refused } from './trouble.tsx'

/** How and when somebody is told things. */
export function settingsPages(pages: Pages): void {
  pages.get('/settings', async (visit) => page(visit, await visit.perform(showSettings, {})))
  pages.post('/settings', async (visit) => {
    const { form } = visit
    const outcome = await attempt(() =>
      visit.perform(changeSettings, {
        notify: form.get('notify') === 'channel' ? 'channel' : 'direct',
        digest: form.get('digest') === 'on',
        hours: form.get('hours') ?? 'always',
        zone: form.get('zone') ?? 'site',
      }),
    )
    if ('done' in outcome) return { redirect: '/settings' }
    return page(visit, await visit.perform(showSettings, {}), outcome.refusal)
  })
}

function page(visit: Visit, settings: SettingsView, refusal?: Refusal) {
  const body = (
    <>
      <h1>Settings</h1>
      <p>
        How you are told things. Which chat accounts are yours stands on{' '}
        <a href="/accounts">a page of its own</a>, and so do the{' '}
        <a href="/settings/keys">SSH keys for your Linux servers</a>.
      </p>
      <Refused refusal={refusal} />
      <Form visit={visit} settings={settings} refusal={refusal} />
    </>
  )
  const status = refusal === undefined ? {} : { status: refusal.status }
  return { title: 'Settings', current: '/settings', body, ...status }
}

interface FormProps {
  visit: Visit
  settings: SettingsView
  refusal: Refusal | undefined
}

const places = [
  ['direct', 'In a conversation of your own'],
  ['channel', "In the site's channel, where it is no secret"],
] as const
const times = [
  ['off', 'As they come, in my working hours'],
  ['on', 'Once a day, when my working hours begin'],
] as const

function Form({ visit, settings, refusal }: FormProps) {
  const { notify, digest, hours, zone, chosenZone } = settings
  const typed = (name: string, value: string): string => visit.form.get(name) ?? value
  return (
    <form method="post" action="/settings">
      <Choice name="notify" label="Where you are told" value={typed('notify', notify)} choices={places} />
      <Choice
        name="digest"
        label="Reminders"
        value={typed('digest', digest ? 'on' : 'off')}
        choices={times}
      />
      <Field
        name="hours"
        label="Working hours"
        refusal={refusal}
        help="Such as 08:00-18:00 on Monday to Friday, or always."
      >
        {(attributes) => <input value={typed('hours', hours)} required {...attributes} />}
      </Field>
      <Field
        name="zone"
        label="Time zone"
        refusal={refusal}
        help={`Such as Europe/Zurich. Now ${zone}; site means the site's.`}
      >
        {(attributes) => <input value={typed('zone', chosenZone ?? 'site')} required {...attributes} />}
      </Field>
      <button type="submit">Save</button>
    </form>
  )
}

interface ChoiceProps {
  name: string
  label: string
  value: string
  choices: readonly (readonly [string, string])[]
}

function Choice({ name, label, value, choices }: ChoiceProps) {
  return (
    <Field name={name} label={label}>
      {(attributes) => (
        <select {...attributes}>
          {choices.map(([choice, says]) => (
            <option value={choice} {...(choice === value ? { selected: true } : {})}>
              {says}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
