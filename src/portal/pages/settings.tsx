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
  const typed = (name: string, value: string): string => visit.form.get(name) ?? value
  const chosen = (name: string, value: string, own: string) =>
    typed(name, own) === value ? { selected: true } : {}
  const { notify, digest, hours, zone, chosenZone } = settings
  const body = (
    <>
      <h1>Settings</h1>
      <p>
        How you are told things. Which chat accounts are yours stands on{' '}
        <a href="/accounts">a page of its own</a>.
      </p>
      <Refused refusal={refusal} />
      <form method="post" action="/settings">
        <Field name="notify" refusal={refusal} label="Where you are told">
          {(attributes) => (
            <select {...attributes}>
              <option value="direct" {...chosen('notify', 'direct', notify)}>
                In a conversation of your own
              </option>
              <option value="channel" {...chosen('notify', 'channel', notify)}>
                In the site's channel, where it is no secret
              </option>
            </select>
          )}
        </Field>
        <Field name="digest" refusal={refusal} label="Reminders">
          {(attributes) => (
            <select {...attributes}>
              <option value="off" {...chosen('digest', 'off', digest ? 'on' : 'off')}>
                As they come, in my working hours
              </option>
              <option value="on" {...chosen('digest', 'on', digest ? 'on' : 'off')}>
                Once a day, when my working hours begin
              </option>
            </select>
          )}
        </Field>
        <Field
          name="hours"
          refusal={refusal}
          label="Working hours"
          help="Such as 08:00-18:00 on Monday to Friday, or always."
        >
          {(attributes) => <input value={typed('hours', hours)} required {...attributes} />}
        </Field>
        <Field
          name="zone"
          refusal={refusal}
          label="Time zone"
          help={`Such as Europe/Zurich. Now ${zone}; site means the site's.`}
        >
          {(attributes) => <input value={typed('zone', chosenZone ?? 'site')} required {...attributes} />}
        </Field>
        <button type="submit">Save</button>
      </form>
    </>
  )
  return {
    title: 'Settings',
    current: '/settings',
    body,
    ...(refusal === undefined ? {} : { status: refusal.status }),
  }
}
