import { extendZodWithOpenApi, OpenApiGeneratorV31, OpenAPIRegistry } from '@asteasolutions/zod-to-openapi'
import { Router } from 'express'
import { z } from 'zod'
import type { Operation } from '../operations/operation.ts'

extendZodWithOpenApi(z)

export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>

const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    code: z.string(),
    detail: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem', { description: 'RFC 9457 problem details; `code` is stable.' })

/** The OpenAPI 3.1 description of every operation that has an HTTP face, made from the catalogue. */
export function openapiDocument(
  catalogue: readonly Operation[],
  site: { name: string; publicUrl: string },
): OpenApiDocument {
  const registry = new OpenAPIRegistry()
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  registry.registerComponent('securitySchemes', 'basic', { type: 'http', scheme: 'basic' })
  for (const operation of catalogue) register(registry, operation)
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: `Jackdaw at ${site.name}`,
      version: '1',
      description:
        'Servers on request and desktops for thin clients. Money is a decimal string with the currency beside it, ' +
        'instants are RFC 3339, durations are ISO 8601. Lists page with `limit` and `cursor`.',
      license: { name: 'Proprietary', identifier: 'LicenseRef-proprietary' },
    },
    servers: [{ url: `${site.publicUrl}/api/v1` }],
    security: [{ bearer: [] }, { basic: [] }],
  })
}

type RequestConfig = NonNullable<Parameters<OpenAPIRegistry['registerPath']>[0]['request']>

function register(registry: OpenAPIRegistry, operation: Operation): void {
  const { http } = operation
  if (http === null) return
  registry.registerPath({
    method: http.method === 'GET' ? 'get' : http.method === 'POST' ? 'post' : 'delete',
    path: http.path,
    operationId: operation.name,
    summary: operation.summary,
    tags: [http.path.split('/')[1] ?? 'site'],
    ...(operation.open === true ? { security: [] } : {}),
    request: requestOf(operation),
    responses: {
      ...answersOf(operation),
      '4XX': { description: 'Refused', content: { 'application/problem+json': { schema: Problem } } },
      '5XX': { description: 'Out of order', content: { 'application/problem+json': { schema: Problem } } },
    },
  })
}

/** Path parameters, then the rest: in the query of a GET and of a call with another body, else in a JSON body. */
function requestOf({ http, input }: Operation): RequestConfig {
  if (http === null || !(input instanceof z.ZodObject)) return {}
  const inPath = [...http.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '')
  const fields: Record<string, z.core.$ZodType> = input.shape
  const pick = (keep: (name: string) => boolean) =>
    z.object(Object.fromEntries(Object.entries(fields).filter(([name]) => keep(name))))
  const params = pick((name) => inPath.includes(name))
  const rest = pick((name) => !inPath.includes(name) && name !== http.body?.field)
  const headers = http.method === 'GET' ? {} : { headers: idempotency }
  if (http.method === 'GET') return { params, query: rest }
  if (http.body !== undefined) {
    return {
      params,
      query: rest,
      ...headers,
      body: { required: true, content: { [http.body.type]: { schema: z.string() } } },
    }
  }
  const empty = Object.keys(rest.shape).length === 0
  return {
    params,
    ...headers,
    ...(empty ? {} : { body: { content: { 'application/json': { schema: rest } } } }),
  }
}

const idempotency = z.object({
  'Idempotency-Key': z
    .string()
    .max(255)
    .optional()
    .openapi({ description: 'The same key and body gives the first answer again.' }),
})

function answersOf({ http, output, summary }: Operation) {
  const json = { 'application/json': { schema: output } }
  const types = [...(http?.media === undefined ? [] : [http.media]), ...(http?.formats ?? [])]
  const media = Object.fromEntries(types.map(({ type }) => [type, { schema: z.string() }]))
  const statuses = http?.status === undefined ? ['200'] : statusesOf(http.path, http.method)
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: status === '202' ? 'Accepted: it is being done, or waits for approval.' : summary,
        content: { ...json, ...media },
      },
    ]),
  )
}

/** A status that depends on the answer cannot be asked without one: the contract's table says which there are. */
function statusesOf(path: string, method: string): string[] {
  if (path === '/requests') return ['201']
  if (method === 'DELETE' || !/\/(extend|open)$/.test(path)) return ['202']
  return ['200', '202']
}

/** Serves the description at `/api/openapi.json`. */
export function describing(document: OpenApiDocument): Router {
  const router = Router()
  router.get('/openapi.json', (_request, response) => {
    response.json(document)
  })
  return router
}
