import type { Refusal } from '../../base/errors.ts'
import { changeKeys, type KeysView, listKeys } from '../../operations/ssh-keys.ts'
import { Cell, Field, Table } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { attempt, type Visit } from '../visit.ts'
import { Refused } from './trouble.tsx'

/** The SSH keys that somebody gets onto their Linux servers with. */
export function keyPages(pages: Pages): void {
  pages.get('/settings/keys', async (visit) => page(visit, await visit.perform(listKeys, {})))
  pages.post('/settings/keys', async (visit) => {
    const keys = linesOf(visit.form.exact('keys'))
    const outcome = await attempt(() => visit.perform(changeKeys, { keys }))
    if ('done' in outcome) return { redirect: '/settings/keys' }
    return page(visit, await visit.perform(listKeys, {}), outcome.refusal)
  })
}

function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

function page(visit: Visit, { items }: KeysView, refusal?: Refusal) {
  const own = items.filter(({ fromDirectory }) => !fromDirectory).map(({ key }) => key)
  const body = (
    <>
      <h1>SSH keys</h1>
      <p>
        A Linux server that you own or administer lets you in with these keys. They are put on it when it is
        made; a server that is there already keeps those that it has.
      </p>
      <Refused refusal={refusal} />
      {items.length === 0 ? <p>You have no key yet.</p> : <Keys items={items} />}
      <form method="post" action="/settings/keys">
        <Field
          name="keys"
          label="Your keys, one a line"
          refusal={refusal}
          help="What stands in ~/.ssh/id_ed25519.pub. Never the other file: that one is secret."
        >
          {(attributes) => (
            <textarea rows={6} spellcheck={false} {...attributes}>
              {visit.form.get('keys') ?? own.join('\n')}
            </textarea>
          )}
        </Field>
        <button type="submit">Save</button>
      </form>
      <p>
        <a href="/settings">Other settings</a>
      </p>
    </>
  )
  const status = refusal === undefined ? {} : { status: refusal.status }
  return { title: 'SSH keys', current: '/settings', body, ...status }
}

function Keys({ items }: KeysView) {
  return (
    <Table caption="Your keys" columns={['Type', 'Comment', 'Fingerprint', 'From']}>
      {items.map(({ type, comment, fingerprint, fromDirectory }) => (
        <tr role="row">
          <Cell label="Type">{type}</Cell>
          <Cell label="Comment">{comment}</Cell>
          <Cell label="Fingerprint">
            <code>{fingerprint}</code>
          </Cell>
          <Cell label="From">{fromDirectory ? 'your directory' : 'here'}</Cell>
        </tr>
      ))}
    </Table>
  )
}
