import type { ComponentChildren, VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import type { Instant } from '../../base/clock.ts'
import type { ProgressView } from '../../operations/shapes/job.ts'
import type { LeaseView } from '../../operations/shapes/lease.ts'
import { assetUrl } from '../assets.ts'
import { clockTime, relativeTime } from '../times.ts'
import { endWords, lowerFirst } from '../words.ts'

/** A page for terminals: plain HTML with tables, for browsers that know neither scripts nor modern styles. */
export function terminalPage(page: { site: string; title: string; refresh?: string; body: VNode }): string {
  const { site, title, refresh, body } = page
  return `<!DOCTYPE html>\n${renderToString(
    <html lang="en">
      <head>
        <meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        {refresh === undefined ? null : <meta http-equiv="refresh" content={refresh} />}
        <title>{title}</title>
        <link rel="icon" type="image/svg+xml" href={assetUrl('jackdaw.svg')} />
        <link rel="stylesheet" type="text/css" href={assetUrl('terminal.css')} />
      </head>
      <body>
        <table class="frame" width="560" cellPadding="0" cellSpacing="0" role="presentation">
          <tr>
            <td class="site">{site}</td>
          </tr>
          <tr>
            <td class="page">
              <h1>{title}</h1>
              {body}
            </td>
          </tr>
        </table>
      </body>
    </html>,
  )}\n`
}

export interface LoginProps {
  pools: readonly { name: string; title?: string | undefined }[]
  pool: string | undefined
  user: string
  /** Who is signed in at this terminal already. */
  person: string | undefined
  /** What the terminal said of itself, to be said again. */
  terminal: Readonly<Record<string, string>>
  trouble?: string | undefined
  note?: string | undefined
}

export function Login(props: LoginProps) {
  const { pools, pool, user, person, terminal, trouble, note } = props
  return (
    <>
      {trouble === undefined ? null : (
        <p class="trouble" role="alert">
          <b>{trouble}</b>
        </p>
      )}
      {note === undefined ? null : <p class="note">{note}</p>}
      <form method="post" action="/desktop">
        {Object.entries(terminal).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <table class="form" width="100%" cellPadding="6" cellSpacing="0" role="presentation">
          {person === undefined ? <Claim user={user} /> : <SignedIn person={person} />}
          <tr>
            <th align="left">
              <label for="pool">Desktop</label>
            </th>
            <td>
              <select name="pool" id="pool">
                {pools.map(({ name, title }) => (
                  <option value={name} selected={name === pool}>
                    {title ?? name}
                  </option>
                ))}
              </select>
            </td>
          </tr>
          <tr>
            <td></td>
            <td>
              <input type="submit" class="main" value={person === undefined ? 'Log in' : 'Open desktop'} />
            </td>
          </tr>
        </table>
      </form>
      {person === undefined ? null : <LogOff action="/desktop/log-off" label="Log off" />}
    </>
  )
}

function Claim({ user }: { user: string }) {
  return (
    <>
      <tr>
        <th align="left">
          <label for="user">User name</label>
        </th>
        <td>
          <input
            type="text"
            name="user"
            id="user"
            size={24}
            value={user}
            autocapitalize="none"
            autocomplete="off"
            autofocus
          />
        </td>
      </tr>
      <tr>
        <th align="left">
          <label for="password">Password</label>
        </th>
        <td>
          <input type="password" name="password" id="password" size={24} autocomplete="off" />
        </td>
      </tr>
    </>
  )
}

function SignedIn({ person }: { person: string }) {
  return (
    <tr>
      <th align="left">User</th>
      <td>{person}</td>
    </tr>
  )
}

function LogOff({ action, label }: { action: string; label: string }) {
  return (
    <form method="post" action={action}>
      <p>
        <input type="submit" value={label} />
      </p>
    </form>
  )
}

export interface LeaseProps {
  lease: LeaseView & { progress?: ProgressView | undefined }
  now: Instant
  zone: string
  trouble?: string | undefined
  note?: string | undefined
}

export function Preparing({ lease, now }: LeaseProps) {
  const { progress } = lease
  const waited = relativeTime(lease.createdAt, now)
  return (
    <>
      <p>
        {progress === undefined
          ? 'It is about to be made.'
          : `${lowerFirst(progress.stage)} (step ${Math.min(progress.done + 1, progress.of)} of ${progress.of})`}
        {waited === 'now' ? '' : `. You asked ${waited}.`}
      </p>
      {lease.trouble === undefined ? null : <p class="note">{lease.trouble.text}</p>}
      <ProgressBar share={progress === undefined ? 0 : progress.done / progress.of} />
      <p>This page looks again by itself every two seconds, and opens your desktop when it is ready.</p>
      <p>
        <a href={`/desktop/lease/${encodeURIComponent(lease.id)}?start=1`}>Look now</a>
      </p>
      <LogOff action={`/desktop/lease/${encodeURIComponent(lease.id)}/end`} label="Do not wait: log off" />
    </>
  )
}

/** Widths as attributes: styles in a page are forbidden, and old browsers know no progress element. */
function ProgressBar({ share }: { share: number }) {
  const done = Math.round(Math.min(1, Math.max(0.02, share)) * 100)
  return (
    <table class="bar" width="100%" cellPadding="0" cellSpacing="0" role="presentation">
      <tr>
        <td class="done" width={`${done}%`}>
          &nbsp;
        </td>
        <td width={`${100 - done}%`}>&nbsp;</td>
      </tr>
    </table>
  )
}

export function Ready({ lease, now, zone, trouble, note }: LeaseProps) {
  const at = `/desktop/lease/${encodeURIComponent(lease.id)}`
  return (
    <>
      {trouble === undefined ? null : (
        <p class="trouble" role="alert">
          <b>{trouble}</b>
        </p>
      )}
      {note === undefined ? null : <p class="note">{note}</p>}
      {lease.trouble === undefined ? <Open at={at} /> : <OutOfReach lease={lease} />}
      {lease.asked === undefined || note !== undefined ? null : (
        <p class="note">{`${lease.asked.request} asks for more time, until ${clockTime(lease.asked.until, zone)}.`}</p>
      )}
      <p>{`It is ${lease.desktop ?? 'being chosen'}. Your session lasts until ${clockTime(lease.endsAt, zone)}, ${relativeTime(lease.endsAt, now)}.`}</p>
      <table role="presentation" cellPadding="0" cellSpacing="6">
        <tr>
          <td>
            <Extend at={at} />
          </td>
          <td>
            <LogOff action={`${at}/end`} label="Log off" />
          </td>
        </tr>
      </table>
    </>
  )
}

function Open({ at }: { at: string }) {
  return (
    <p class="open">
      <a class="main" href={`${at}/file.rdp`}>
        Open desktop
      </a>
    </p>
  )
}

/** Its desktop cannot be reached. Opening again gives the next one of a shared pool, and says so of one's own. */
function OutOfReach({ lease: { trouble, pool, terminal } }: Pick<LeaseProps, 'lease'>) {
  const said = { pool, terminal: terminal?.name, mac: terminal?.mac, kind: terminal?.kind }
  return (
    <>
      <p class="trouble" role="alert">
        <b>{trouble?.text}</b>
      </p>
      <p>If it goes on, ask an operator.</p>
      <form method="post" action="/desktop">
        {Object.entries(said).map(([name, value]) => (
          <input type="hidden" name={name} value={value ?? ''} />
        ))}
        <p class="open">
          <input type="submit" class="main" value="Try again" />
        </p>
      </form>
    </>
  )
}

function Extend({ at }: { at: string }) {
  return (
    <form method="post" action={`${at}/extend`}>
      <p>
        <input type="submit" value="Extend 30 minutes" />
      </p>
    </form>
  )
}

export function Ended({ lease, start }: Pick<LeaseProps, 'lease'> & { start: string }) {
  const why = lease.endReason === null ? '' : endWords[lease.endReason]
  return (
    <>
      <p>{why}</p>
      <Back to={start}>Log in again</Back>
    </>
  )
}

export function Back({ to = '/desktop', children }: { to?: string; children: ComponentChildren }) {
  return (
    <p class="open">
      <a class="main" href={to}>
        {children}
      </a>
    </p>
  )
}
