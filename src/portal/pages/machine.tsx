import type { ComponentChildren } from 'preact'
import type { Refusal } from '../../base/errors.ts'
import { counted, list } from '../../base/text.ts'
import { blankWords } from '../../machines/blank.ts'
import { consolePath } from '../../operations/open-console.ts'
import type { MachineView } from '../../operations/shapes/machine.ts'
import type { Site } from '../../operations/site.ts'
import { Done, type Moment, Progress, State, When } from '../parts.tsx'
import { type ButtonVerb, isButtonVerb, machineWords, money, verbWords } from '../words.ts'
import { consoleWords } from './console.tsx'
import { ClaimForm, ExtendForm, ResizeForm } from './machine-forms.tsx'
import type { MachinePrices } from './machine-price.ts'
import { sizeWords } from './machines.tsx'
import { TransferForm } from './transfer-form.tsx'
import { Refused } from './trouble.tsx'

export interface MachineProps {
  machine: MachineView
  site: Site
  moment: Moment
  /** The budgets that whoever looks may pay from. */
  budgets: readonly { code: string; title: string }[]
  operator: boolean
  /** What more time and another size would cost. */
  prices: MachinePrices
  /** What was just done. */
  done?: string | undefined
  refusal?: Refusal | undefined
  /** The size that a price is shown for. */
  wish?: { cpus: number; memoryGb: number } | undefined
}

export function MachinePage(props: MachineProps) {
  const { machine, done, refusal } = props
  const at = encodeURIComponent(machine.name)
  const orphan = machine.owner === null || machine.budget === null
  return (
    <>
      <p class="crumb">
        <a href="/">Machines</a>
      </p>
      <Refused refusal={refusal} />
      {done === undefined ? null : <Done>{done}</Done>}
      <div
        id="machine"
        hx-get={`/fragments/machines/${at}`}
        hx-trigger="machines from:body throttle:500ms"
        hx-swap="innerMorph"
      >
        <MachineState {...props} />
      </div>
      {orphan && machine.pool === null ? <ClaimForm {...props} /> : null}
      <div class="columns">
        {machine.verbs.includes('extend') && machine.expiresAt !== null ? <ExtendForm {...props} /> : null}
        {machine.verbs.includes('resize') ? <ResizeForm {...props} /> : null}
        <TransferForm {...props} />
      </div>
    </>
  )
}

/** What changes by itself: the state, what is being done, and the buttons that go with it. */
export function MachineState({ machine, moment }: Pick<MachineProps, 'machine' | 'moment'>) {
  return (
    <article class="machine">
      <header class="title">
        <h1>{machine.name}</h1>
        <span aria-live="polite">
          <State state={machineWords[machine.state]} />
          {machine.progress === undefined ? null : <Progress progress={machine.progress} of={machine.name} />}
        </span>
      </header>
      <Stages machine={machine} />
      <Buttons machine={machine} />
      <Facts machine={machine} moment={moment} />
    </article>
  )
}

const stageWords = { waiting: 'to come', running: 'now', done: 'done', failed: 'failed' } as const

function Stages({ machine }: { machine: MachineView }) {
  if (machine.progress === undefined || machine.progress.stages.length === 0) return null
  return (
    <ol class="stages" aria-label="Stages">
      {machine.progress.stages.map(({ name, state }) => (
        <li class={state} {...(state === 'running' ? { 'aria-current': 'step' } : {})}>
          {name} <small>{stageWords[state]}</small>
        </li>
      ))}
    </ol>
  )
}

/** Those that lose something, or save money, go by way of a page that asks. */
function Buttons({ machine }: { machine: MachineView }) {
  const steering = machine.verbs.filter(isButtonVerb)
  const shown: ButtonVerb[] = [
    ...steering.filter((verb) => verb !== 'delete'),
    ...(machine.verbs.length > 0 && machine.expiresAt !== null && machine.pool === null
      ? (['let-go'] as const)
      : []),
    ...steering.filter((verb) => verb === 'delete' && machine.pool === null),
  ]
  if (shown.length === 0) return null
  const at = `/machines/${encodeURIComponent(machine.name)}`
  return (
    <div class="actions">
      {machine.verbs.includes('console') ? <ConsoleLinks machine={machine.name} /> : null}
      {shown.map((verb) =>
        'warning' in verbWords[verb] ? (
          <a
            key={verb}
            href={`${at}/confirm/${verb}`}
            role="button"
            class={verb === 'delete' ? 'danger' : 'secondary'}
          >
            {verbWords[verb].button}…
          </a>
        ) : (
          <form key={verb} method="post" action={`${at}/${verb}`}>
            <button type="submit" class="secondary">
              {verbWords[verb].button}
            </button>
          </form>
        ),
      )}
    </div>
  )
}

function ConsoleLinks({ machine }: { machine: string }) {
  return (
    <>
      {(['screen', 'serial'] as const).map((kind) => (
        <a key={kind} href={consolePath(machine, kind)} role="button">
          {consoleWords[kind].name}
        </a>
      ))}
    </>
  )
}

function Facts({ machine, moment }: { machine: MachineView; moment: Moment }) {
  const { description, purpose, owner, administrators, expiresAt, budget, request } = machine
  return (
    <dl class="facts">
      <Fact name="Ends">{expiresAt === null ? 'never' : <When at={expiresAt} moment={moment} />}</Fact>
      <Fact name="Connect">
        <Connect machine={machine} />
      </Fact>
      <Fact name="Template and size">{`${machine.template}, ${sizeWords(machine)}`}</Fact>
      {machine.blank === null ? null : <Fact name="Disk">{blankWords(machine.blank)}</Fact>}
      <Fact name="Cost to date">
        {money(machine.costToDate, machine.currency)}
        {budget === null ? null : (
          <>
            {' '}
            <a href={`/costs?machine=${encodeURIComponent(machine.name)}`}>by month</a>
          </>
        )}
      </Fact>
      <Fact name="Budget">{budget ?? 'none'}</Fact>
      {budget === null ||
      machine.savings === undefined ||
      Number(machine.savings.save.perDay) === 0 ? null : (
        <Fact name="Saved to disk">
          {`${money(machine.savings.save.perDay, machine.currency)} a day less while it lasts`}
        </Fact>
      )}
      <Fact name="Owner">{owner ?? 'nobody yet'}</Fact>
      <Fact name="Administrators">{administrators.length === 0 ? 'none' : list(administrators)}</Fact>
      <Fact name="Host">{machine.host ?? 'none'}</Fact>
      {description === '' ? null : <Fact name="Description">{description}</Fact>}
      {purpose === '' ? null : <Fact name="Purpose">{purpose}</Fact>}
      {machine.providerState === null ? null : <Fact name="Its system says">{machine.providerState}</Fact>}
      {machine.pool === null ? null : <Fact name="Desktop of pool">{machine.pool}</Fact>}
      <Fact name="Made">
        <When at={machine.createdAt} moment={moment} />
      </Fact>
      {machine.host === null && machine.archive === null ? null : (
        <Fact name="Inside">
          <a href={`/machines/${encodeURIComponent(machine.name)}/library`}>
            figures, snapshots, copies and the library
          </a>
        </Fact>
      )}
      {request === null ? null : (
        <Fact name="Request">
          <a href={`/requests/${encodeURIComponent(request)}`}>{request}</a>
        </Fact>
      )}
    </dl>
  )
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Connect({ machine }: { machine: MachineView }) {
  if (machine.address === null) return <>as soon as it has an address</>
  if (machine.os === 'linux') return <code>{`ssh ${machine.owner ?? 'root'}@${machine.address}`}</code>
  return (
    <>
      Remote Desktop to <code>{machine.address}</code>
    </>
  )
}

/** What deleting it would save, and what saving it to disk would instead. */
function Savings({ machine: { savings, currency, budget, verbs } }: { machine: MachineView }) {
  if (savings === undefined || budget === null) return null
  const { freeDays, save, delete: gone } = savings
  const free = freeDays === 0 ? '' : `, once its ${counted(freeDays, 'free day')} to come are over`
  return (
    <ul>
      <li>
        {'That saves '}
        <strong>{`${money(gone.perDay, currency)} a day`}</strong>
        {`${free}.`}
      </li>
      <li>
        <strong>{money(gone.back, currency)}</strong>
        {` that are held for its days to come go back to ${budget}.`}
      </li>
      {verbs.includes('save') ? <li>{restWords(save.perDay, currency, free)}</li> : null}
    </ul>
  )
}

function RestSavings({ machine: { savings, currency, budget } }: { machine: MachineView }) {
  if (savings === undefined || budget === null) return null
  const { freeDays, save } = savings
  const free = freeDays === 0 ? '' : `, once its ${counted(freeDays, 'free day')} to come are over`
  return (
    <p>
      {Number(save.perDay) === 0
        ? 'That saves no money: a saved machine costs the same.'
        : `That saves ${money(save.perDay, currency)} a day while it lasts${free}.`}
    </p>
  )
}

function restWords(perDay: string, currency: string, free: string): string {
  return Number(perDay) === 0
    ? 'To save it to disk instead would save no money: a saved machine costs the same.'
    : `To save it to disk instead would save ${money(perDay, currency)} a day while it lasts${free}.`
}

/** The page that asks before something is lost or saved. */
export function ConfirmPage({ machine, verb }: { machine: MachineView; verb: ButtonVerb }) {
  const words = verbWords[verb]
  const at = `/machines/${encodeURIComponent(machine.name)}`
  return (
    <article class="confirm">
      <h1>{`${words.button}: ${machine.name}?`}</h1>
      <p>{'warning' in words ? words.warning : ''}</p>
      {verb === 'delete' ? <Savings machine={machine} /> : null}
      {verb === 'save' ? <RestSavings machine={machine} /> : null}
      <form method="post" action={`${at}/${verb}`} class="actions">
        <button type="submit" {...(verb === 'save' ? {} : { class: 'danger' })}>
          {words.button}
        </button>
        <a href={at} role="button" class="secondary">
          Leave it as it is
        </a>
      </form>
    </article>
  )
}
