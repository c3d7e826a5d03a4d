import type { ComponentChildren } from 'preact'
import type { Instant } from '../base/clock.ts'
import type { Refusal } from '../base/errors.ts'
import type { ProgressView } from '../operations/shapes/job.ts'
import { localTime, relativeTime } from './times.ts'
import { lowerFirst, type StateWords, type Tone } from './words.ts'

/** When somebody looks, and in which zone they read the time. */
export interface Moment {
  now: Instant
  zone: string
}

/** An instant on the site's clock, and how far away it is. */
export function When({ at, moment }: { at: Instant; moment: Moment }) {
  return (
    <>
      <time dateTime={at}>{localTime(at, moment.zone)}</time> <small>{relativeTime(at, moment.now)}</small>
    </>
  )
}

const signs: Readonly<Record<Tone, string>> = { good: '●', busy: '◔', idle: '○', warn: '▲', bad: '✕' }

/** A state in words, with a sign and a colour that say the same. */
export function State({ state }: { state: StateWords }) {
  return (
    <span class={`state ${state.tone}`}>
      <span aria-hidden="true">{signs[state.tone]}</span> {state.words}
    </span>
  )
}

/** How far a job has come: the stage in words, and a bar. */
export function Progress({ progress, of }: { progress: ProgressView; of: string }) {
  const step = Math.min(progress.done + 1, progress.of)
  return (
    <span class="progress">
      <progress value={progress.done} max={progress.of} aria-label={`Progress of ${of}`}></progress>
      <small>{`${lowerFirst(progress.stage)}, step ${step} of ${progress.of}`}</small>
    </span>
  )
}

export interface Segment {
  share: number
  kind: 'spent' | 'held' | 'used'
}

/** A bar of shares of a whole. What it says stands beside it in words, so it is hidden from screen readers. */
export function Bar({ segments }: { segments: readonly Segment[] }) {
  let from = 0
  const drawn = segments.map(({ share, kind }) => {
    const width = Math.max(0, Math.min(1 - from, share)) * 100
    const rect = <rect class={kind} x={from * 100} y="0" width={width} height="8" />
    from += width / 100
    return rect
  })
  return (
    <svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="rest" x="0" y="0" width="100" height="8" />
      {drawn}
    </svg>
  )
}

export interface FieldProps {
  name: string
  label: string
  refusal?: Refusal | undefined
  help?: string
  children: (attributes: Record<string, string>) => ComponentChildren
}

/** A field of a form with its label, a word of help, and what was wrong with it last time. */
export function Field({ name, label, refusal, help, children }: FieldProps) {
  const fault = refusal?.extras.errors?.find(({ path }) => path === name || path.startsWith(`${name}.`))
  const id = `field-${name}`
  const note = fault?.message ?? help
  const attributes: Record<string, string> = {
    id,
    name,
    ...(note === undefined ? {} : { 'aria-describedby': `${id}-note` }),
    ...(fault === undefined ? {} : { 'aria-invalid': 'true' }),
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(attributes)}
      {note === undefined ? null : (
        <small id={`${id}-note`} class={fault === undefined ? 'help' : 'fault'}>
          {fault === undefined ? note : `Not right: ${note}`}
        </small>
      )}
    </div>
  )
}

/** What was just done, read out by screen readers. */
export function Done({ children }: { children: ComponentChildren }) {
  return (
    <p class="notice good" role="status">
      {children}
    </p>
  )
}

/** The cell of a table that becomes a card on a narrow screen: it then says itself what it is. */
export function Cell({
  label,
  money = false,
  children,
}: {
  label: string
  /** Amounts stand under each other. */
  money?: boolean
  children: ComponentChildren
}) {
  return (
    <td role="cell" data-label={label} {...(money ? { class: 'amount' } : {})}>
      <div>{children}</div>
    </td>
  )
}

export function Table({
  caption,
  columns,
  amounts = [],
  children,
}: {
  caption: string
  columns: readonly string[]
  /** Columns of money, which is aligned. */
  amounts?: readonly string[]
  children: ComponentChildren
}) {
  return (
    <div class="table">
      <table role="table">
        <caption>{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th role="columnheader" scope="col" {...(amounts.includes(column) ? { class: 'amount' } : {})}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">{children}</tbody>
      </table>
    </div>
  )
}
