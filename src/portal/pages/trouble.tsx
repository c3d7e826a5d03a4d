import type { Problem } from '../../api/problem.ts'
import type { Refusal } from '../../base/errors.ts'

const titles: Readonly<Record<number, string>> = {
  401: 'Sign in first',
  403: 'Not allowed',
  404: 'Not found',
  429: 'Too many attempts',
  503: 'Out of order for a moment',
}

export function troubleTitle(status: number): string {
  return titles[status] ?? (status >= 500 ? 'Our mistake' : 'That did not work')
}

/** A whole page about something that went wrong. */
export function Trouble({ problem }: { problem: Pick<Problem, 'status' | 'detail' | 'code'> }) {
  return (
    <article class="trouble">
      <h1>{troubleTitle(problem.status)}</h1>
      <p>{problem.detail}</p>
      <p>
        <a href="/">Go to your machines</a>
      </p>
      <p>
        <small>
          Code: <code>{problem.code}</code>
        </small>
      </p>
    </article>
  )
}

/** A refusal on the page that it is about: the fact, the remedy, and what else is known. */
export function Refused({ refusal }: { refusal: Refusal | undefined }) {
  if (refusal === undefined) return null
  const { hosts = [], errors = [] } = refusal.extras
  const further = errors.length > 1 ? errors : []
  return (
    <div class="notice bad" role="alert">
      <p>
        <strong>{refusal.message}</strong>
      </p>
      {further.length === 0 ? null : (
        <ul>
          {further.map(({ path, message }) => (
            <li>{path === '' ? message : `${path}: ${message}`}</li>
          ))}
        </ul>
      )}
      {hosts.length === 0 ? null : (
        <details>
          <summary>Host by host</summary>
          <ul>
            {hosts.map(({ host, reasons }) => (
              <li>{`${host}: ${reasons.join(', ')}`}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  )
}
