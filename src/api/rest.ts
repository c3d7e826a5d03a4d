import express, { type Request, type RequestHandler, type Response, Router } from 'express'
import { Refusal } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type Caller, nobody } from '../identity/person.ts'
import type { Operation } from '../operations/operation.ts'
import type { Operations } from '../operations/perform.ts'
import { basicOf, type Callers, checkOrigin, credentialsOf, notSignedIn } from './callers.ts'
import { problemHandler, sendProblem } from './problem.ts'

export interface RestServices {
  operations: Operations
  catalogue: readonly Operation[]
  /** Who asks. @throws Refusal when that cannot be told. */
  callerOf: (request: Request) => Promise<Caller>
  log: Log
}

/** Every operation of the catalogue that has an HTTP face, under `/api/v1`. */
export function rest({ operations, catalogue, callerOf, log }: RestServices): Router {
  const router = Router()
  router.use(express.json({ limit: '1mb', type: ['application/json', 'application/*+json'] }))
  router.use(express.text({ limit: '1mb', type: 'text/csv' }))
  for (const operation of catalogue) {
    if (operation.http === null) continue
    router[verb(operation.http.method)](expressPath(operation.http.path), answer(operation))
  }
  router.use((request, response) => {
    sendProblem(
      response,
      new Refusal('not_found', `There is no ${request.method} ${request.originalUrl}. See /api/docs.`),
    )
  })
  router.use(problemHandler(log))
  return router

  function answer(operation: Operation): RequestHandler {
    return async (request, response) => {
      const caller = operation.open === true ? nobody('rest', addressOf(request)) : await callerOf(request)
      const output = await operations.perform(operation, caller, inputOf(operation, request), keyOf(request))
      send(operation, request, response, output)
    }
  }
}

/** The caller of a REST request. With the portal's cookie, a change must come from our own pages. */
export async function callerOfRequest(request: Request, callers: Callers): Promise<Caller> {
  const from = { via: 'rest', address: addressOf(request) } as const
  const basic = basicOf(request)
  if (basic !== undefined) return callers.byPassword(basic, from)
  const credentials = credentialsOf(request)
  if (credentials === undefined) throw notSignedIn()
  if (credentials.ambient) checkOrigin(request)
  return callers.bySession(credentials.token, from)
}

export function addressOf(request: Request): string {
  return request.ip ?? request.socket.remoteAddress ?? 'unknown'
}

function keyOf(request: Request): { idempotencyKey?: string } {
  const key = request.get('Idempotency-Key')
  if (key === undefined || request.method === 'GET') return {}
  if (key.length > 255) throw new Refusal('invalid_input', 'An Idempotency-Key has at most 255 characters.')
  return { idempotencyKey: key }
}

/** Query, body and path in one object; the path wins, so that a body cannot name another thing than the address does. */
function inputOf(operation: Operation, request: Request): Record<string, unknown> {
  const body: unknown = request.body
  const { http } = operation
  if (http?.body !== undefined) {
    if (typeof body !== 'string') {
      throw new Refusal('unsupported_media_type', `Send the body as ${http.body.type}.`)
    }
    return { ...request.query, [http.body.field]: body, ...request.params }
  }
  if (body === undefined || body === null) return { ...request.query, ...request.params }
  if (typeof body !== 'object' || Array.isArray(body)) {
    throw new Refusal('invalid_input', 'The body must be a JSON object.')
  }
  return { ...request.query, ...body, ...request.params }
}

function send(operation: Operation, request: Request, response: Response, output: unknown): void {
  response.setHeader('Cache-Control', 'no-store')
  const status = operation.http?.status?.(output) ?? 200
  const file = mediaOf(operation, request, output) ?? formatOf(operation, request, output)
  if (file !== undefined) {
    for (const [name, value] of Object.entries(file.headers)) response.setHeader(name, value)
    // `setHeader` and `end`, since express would add a charset to the type.
    response.status(status).setHeader('Content-Type', file.type).end(file.body)
    return
  }
  if (status === 202) response.setHeader('Retry-After', '2')
  response.status(status).json(output)
}

interface FileAnswer {
  type: string
  body: Buffer | string
  headers: Record<string, string>
}

/** The medium that an operation offers before JSON, where the caller takes it and the answer has it. */
function mediaOf({ http }: Operation, request: Request, output: unknown): FileAnswer | undefined {
  const media = http?.media
  if (media === undefined || request.accepts([media.type, 'application/json']) !== media.type)
    return undefined
  const rendered = media.render(output)
  return rendered === undefined ? undefined : { type: media.type, ...rendered }
}

/** Another way to write the answer: by its name in `?format=`, which is exact, or by what the caller accepts. */
function formatOf({ http }: Operation, request: Request, output: unknown): FileAnswer | undefined {
  const formats = http?.formats ?? []
  if (formats.length === 0) return undefined
  const named = formats.find(({ name }) => name === request.query.format)
  const accepted = request.accepts(['application/json', ...formats.map(({ type }) => type)])
  const format =
    named ?? (request.query.format === undefined ? formats.find(({ type }) => type === accepted) : undefined)
  if (format === undefined) return undefined
  const fileName = format.fileName?.(output)
  return {
    type: `${format.type}; charset=utf-8`,
    body: format.render(output),
    headers: fileName === undefined ? {} : { 'Content-Disposition': `attachment; filename="${fileName}"` },
  }
}

function verb(method: 'GET' | 'POST' | 'DELETE'): 'get' | 'post' | 'delete' {
  return method === 'GET' ? 'get' : method === 'POST' ? 'post' : 'delete'
}

/** `/machines/{name}` as express writes it. */
function expressPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1')
}
