import type { Refusal } from '../../base/errors.ts'
import type { HostChoice } from './library-routes.tsx'
import type { FiguresView } from '../../operations/show-figures.ts'
import type { MachineView } from '../../operations/shapes/machine.ts'
import { Done, Field, type Moment, When } from '../parts.tsx'
import { money } from '../words.ts'
import { Figures } from './figures.tsx'
import { Refused } from './trouble.tsx'

export interface LibraryProps {
  machine: MachineView
  figures: FiguresView
  moment: Moment
  templates: readonly string[]
  budgets: readonly { code: string; title: string }[]
  /** Where an operator may move it; nobody else sees it. */
  hosts: readonly HostChoice[]
  done?: string | undefined
  refusal?: Refusal | undefined
}

/** What a machine is and does now, its snapshots, its copies, and putting it away. */
export function LibraryPage(props: LibraryProps) {
  const { machine, done, refusal } = props
  const may = (verb: string): boolean => machine.verbs.includes(verb)
  return (
    <>
      <p class="crumb">
        <a href={atOf(props)}>{machine.name}</a>
      </p>
      <h1>{`Inside ${machine.name}`}</h1>
      <Refused refusal={refusal} />
      {done === undefined ? null : <Done>{done}</Done>}
      <Figures {...props} />
      <div class="columns">
        {may('snapshot') || machine.snapshots.length > 0 ? <Snapshots {...props} /> : null}
        {may('capture') ? <Capture {...props} /> : null}
        {may('clone') ? <Clone {...props} /> : null}
        {may('archive') && machine.pool === null ? <Archive {...props} /> : null}
        {may('restore') ? <Restore {...props} /> : null}
        {may('migrate') && props.hosts.length > 0 ? <Move {...props} /> : null}
      </div>
    </>
  )
}

function atOf({ machine }: Pick<LibraryProps, 'machine'>): string {
  return `/machines/${encodeURIComponent(machine.name)}`
}

function Snapshots(props: LibraryProps) {
  const { machine, moment, refusal } = props
  const at = `${atOf(props)}/snapshots`
  return (
    <section aria-labelledby="snapshots">
      <h2 id="snapshots">Snapshots</h2>
      {machine.snapshots.length === 0 ? <p>None so far: take one before you change much.</p> : null}
      <ul class="plain">
        {machine.snapshots.map(({ name, takenAt, by }) => (
          <li>
            <strong>{name}</strong> <When at={takenAt} moment={moment} /> <small>{`by ${by}`}</small>
            <span class="actions">
              <a role="button" class="secondary" href={`${at}/${encodeURIComponent(name)}`}>
                Go back or delete…
              </a>
            </span>
          </li>
        ))}
      </ul>
      {machine.verbs.includes('snapshot') ? (
        <form method="post" action={at} class="row">
          <Field name="name" label="Name" refusal={refusal} help="Lower-case letters, digits and dashes.">
            {(attributes) => <input required maxLength={32} placeholder="before-upgrade" {...attributes} />}
          </Field>
          <button type="submit">Take a snapshot</button>
        </form>
      ) : null}
    </section>
  )
}

/** Asks before a machine goes back, or a snapshot is deleted. */
export function SnapshotPage({ machine, snapshot }: { machine: MachineView; snapshot: string }) {
  const at = `${atOf({ machine })}/snapshots/${encodeURIComponent(snapshot)}`
  return (
    <article class="confirm">
      <h1>{`Snapshot ${snapshot} of ${machine.name}`}</h1>
      <p>{`To go back to it loses what was changed on ${machine.name} since. To delete it changes nothing on ${machine.name}.`}</p>
      <div class="actions">
        <form method="post" action={`${at}/revert`}>
          <button type="submit" class="danger">
            Go back to it
          </button>
        </form>
        <form method="post" action={`${at}/delete`}>
          <button type="submit" class="secondary">
            Delete the snapshot
          </button>
        </form>
        <a href={`${atOf({ machine })}/library`} role="button" class="secondary">
          Leave it as it is
        </a>
      </div>
    </article>
  )
}

const halts = 'It is shut down while its disk is copied, and then started again.'

function Capture(props: LibraryProps) {
  const { machine, refusal } = props
  return (
    <section aria-labelledby="capture">
      <h2 id="capture">Make an image</h2>
      <p>{`Servers can be asked for with it as with a template. ${machine.state === 'running' ? halts : ''}`}</p>
      <form method="post" action={`${atOf(props)}/capture`} class="row">
        <Field
          name="image"
          label="Name of the image"
          refusal={refusal}
          help="One is found if you leave it out."
        >
          {(attributes) => <input maxLength={40} {...attributes} />}
        </Field>
        <button type="submit">Make an image</button>
      </form>
    </section>
  )
}

function Clone(props: LibraryProps) {
  const { machine, templates, budgets, refusal } = props
  return (
    <section aria-labelledby="clone">
      <h2 id="clone">Copies, or a test environment</h2>
      <p>
        With a template: a fresh server of it on a network of its own, with a copy of this disk beside.
        {machine.state === 'running' ? ` ${halts}` : ''}
      </p>
      <form method="post" action={`${atOf(props)}/clone`}>
        <div class="pair">
          <Field name="days" label="Days" refusal={refusal}>
            {(attributes) => <input type="number" min="1" required value="14" {...attributes} />}
          </Field>
          <Field name="count" label="How many" refusal={refusal}>
            {(attributes) => <input type="number" min="1" max="50" value="1" {...attributes} />}
          </Field>
        </div>
        <Field name="template" label="Template" refusal={refusal}>
          {(attributes) => (
            <select {...attributes}>
              <option value="">a copy, as it is</option>
              {templates.map((name) => (
                <option value={name}>{name}</option>
              ))}
            </select>
          )}
        </Field>
        <Field name="budget" label="Budget" refusal={refusal}>
          {(attributes) => (
            <select {...attributes}>
              {budgets.map(({ code, title }) => (
                <option value={code} selected={code === machine.budget}>{`${code} ${title}`}</option>
              ))}
            </select>
          )}
        </Field>
        <button type="submit">Request</button>
      </form>
    </section>
  )
}

function Archive(props: LibraryProps) {
  const { machine, refusal } = props
  return (
    <section aria-labelledby="archive">
      <h2 id="archive">Put it into the library</h2>
      <p>{`It is shut down and frees its host. Its end stays as it is. ${archiveSaving(machine)}`}</p>
      {machine.snapshots.length === 0 ? null : <p>Its snapshots are not kept.</p>}
      <form method="post" action={`${atOf(props)}/archive`} class="row">
        <Field name="until" label="Bring it back on" refusal={refusal} help="Left empty: when you say so.">
          {(attributes) => <input type="date" {...attributes} />}
        </Field>
        <button type="submit">Archive</button>
      </form>
    </section>
  )
}

function archiveSaving({ savings, currency }: MachineView): string {
  if (savings === undefined) return ''
  return Number(savings.archive.perDay) === 0
    ? 'That saves no money: here a machine in the library costs the same.'
    : `That saves ${money(savings.archive.perDay, currency)} a day while it lasts.`
}

function Restore(props: LibraryProps) {
  const { machine, moment } = props
  const back = machine.archive?.backAt ?? null
  return (
    <section aria-labelledby="restore">
      <h2 id="restore">In the library</h2>
      <p>
        {back === null ? (
          'It comes back when you say so.'
        ) : (
          <>
            It comes back by itself: <When at={back} moment={moment} />.
          </>
        )}
      </p>
      <form method="post" action={`${atOf(props)}/restore`}>
        <button type="submit">Bring it back now</button>
      </form>
    </section>
  )
}

function Move(props: LibraryProps) {
  const { machine, hosts, refusal } = props
  return (
    <section aria-labelledby="migrate">
      <h2 id="migrate">Move it</h2>
      <p>{`It is on ${machine.host ?? 'no host'}. It moves without a break where it can, else it is saved, moved and resumed.`}</p>
      <form method="post" action={`${atOf(props)}/migrate`} class="row">
        <Field name="host" label="To" refusal={refusal}>
          {(attributes) => (
            <select {...attributes}>
              <option value="">wherever there is room</option>
              {hosts.map(({ name, group }) => (
                <option value={name}>{`${name}, ${group}`}</option>
              ))}
            </select>
          )}
        </Field>
        <button type="submit">Move</button>
      </form>
    </section>
  )
}
