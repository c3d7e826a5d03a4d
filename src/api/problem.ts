import type { ErrorRequestHandler, Response } from 'express'
import { STATUS_CODES } from 'node:http'
import { messageOf, Outage, Refusal } from '../base/errors.ts'
import type { Log } from '../base/log.ts'

/** An error as RFC 9457 says it, with our stable `code`. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: string
  [extra: string]: unknown
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Refusal) {
    const { retryAfterSeconds: _, ...extras } = error.extras
    return { ...base(error.status, error.code, error.message), ...extras }
  }
  if (error instanceof Outage) return base(503, error.code, `${error.message}. Try again in a moment.`)
  const parser = bodyFault(error)
  if (parser !== undefined) return parser
  return base(500, 'internal_error', 'Jackdaw made a mistake. The operator finds it in the log.')
}

export function sendProblem(response: Response, error: unknown): void {
  const problem = problemOf(error)
  if (error instanceof Refusal && error.extras.retryAfterSeconds !== undefined) {
    response.setHeader('Retry-After', String(error.extras.retryAfterSeconds))
  }
  if (error instanceof Outage) response.setHeader('Retry-After', '5')
  if (problem.status === 401)
    response.setHeader('WWW-Authenticate', 'Bearer realm="jackdaw", Basic realm="jackdaw"')
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}

/** Last in the chain of a face that speaks JSON. */
export function problemHandler(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error)
      return
    }
    if (problemOf(error).status >= 500) {
      log.error({ method: request.method, path: request.path, error: messageOf(error) }, 'request failed')
    }
    sendProblem(response, error)
  }
}

function base(status: number, code: string, detail: string): Problem {
  return { type: `urn:jackdaw:${code}`, title: STATUS_CODES[status] ?? 'Error', status, code, detail }
}

/** What express's body parsers throw, in our words. */
function bodyFault(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !('type' in error)) return undefined
  if (error.type === 'entity.too.large') return base(413, 'body_too_large', 'The body is larger than 1 MB.')
  if (error.type === 'entity.parse.failed') return base(400, 'invalid_input', 'The body is not valid JSON.')
  return undefined
}
