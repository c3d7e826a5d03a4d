import { z } from 'zod'

/** What the reference reads of a JSON schema (2020-12), loosely: what it does not know it leaves out. */
interface Schema {
  $ref?: string | undefined
  type?: string | string[] | undefined
  format?: string | undefined
  enum?: unknown[] | undefined
  const?: unknown
  items?: Schema | undefined
  properties?: Record<string, Schema> | undefined
  required?: string[] | undefined
  anyOf?: Schema[] | undefined
  oneOf?: Schema[] | undefined
  allOf?: Schema[] | undefined
}

const Schema: z.ZodType<Schema> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    format: z.string().optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    items: Schema.optional().catch(undefined),
    properties: z.record(z.string(), Schema).optional(),
    required: z.array(z.string()).optional(),
    anyOf: z.array(Schema).optional(),
    oneOf: z.array(Schema).optional(),
    allOf: z.array(Schema).optional(),
  }),
)

const Content = z.record(z.string(), z.object({ schema: Schema.optional() }))

const Described = z.object({
  operationId: z.string().optional(),
  summary: z.string().optional(),
  tags: z.array(z.string()).optional(),
  security: z.array(z.unknown()).optional(),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.string(),
        required: z.boolean().optional(),
        schema: Schema.optional(),
      }),
    )
    .optional(),
  requestBody: z.object({ content: Content }).optional(),
  responses: z.record(
    z.string(),
    z.object({ description: z.string().optional(), content: Content.optional() }),
  ),
})
type Described = z.infer<typeof Described>

const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  components: z.object({ schemas: z.record(z.string(), Schema).optional() }).optional(),
})

export interface FieldRow {
  name: string
  where: string
  type: string
  required: boolean
}

/** One call of the API as the reference shows it. */
export interface Call {
  id: string
  method: string
  path: string
  summary: string
  group: string
  /** Whether it needs no session. */
  open: boolean
  fields: FieldRow[]
  answers: { status: string; description: string; types: string[]; fields: FieldRow[] }[]
}

/** The calls of an OpenAPI document, in its order. */
export function readCalls(openapi: object): Call[] {
  const document = Document.parse(openapi)
  const resolve = resolver(document.components?.schemas ?? {})
  return Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, described]) => {
      const parsed = Described.safeParse(described)
      return parsed.success ? [callOf({ path, method }, parsed.data, resolve)] : []
    }),
  )
}

type Resolve = (schema: Schema | undefined) => Schema

function resolver(schemas: Readonly<Record<string, Schema>>): Resolve {
  return (schema) => {
    const name = schema?.$ref?.split('/').at(-1)
    return (name === undefined ? schema : schemas[name]) ?? {}
  }
}

function callOf(at: { path: string; method: string }, described: Described, resolve: Resolve): Call {
  const { operationId, summary = '', tags, security, parameters = [], requestBody, responses } = described
  const body = Object.values(requestBody?.content ?? {})[0]?.schema
  return {
    ...at,
    id: operationId ?? `${at.method}${at.path}`,
    summary,
    group: tags?.[0] ?? at.path.split('/')[1] ?? '',
    open: security?.length === 0,
    fields: [
      ...parameters.map(({ name, in: where, required = false, schema }) => ({
        name,
        where,
        required,
        type: typeOf(schema, resolve),
      })),
      ...fieldsIn(body, resolve),
    ],
    answers: Object.entries(responses).map(([status, { description = '', content = {} }]) => ({
      status,
      description,
      types: Object.keys(content),
      fields: fieldsIn(
        content['application/json']?.schema ?? content['application/problem+json']?.schema,
        resolve,
      ),
    })),
  }
}

function fieldsIn(schema: Schema | undefined, resolve: Resolve): FieldRow[] {
  const { properties = {}, required = [], anyOf, oneOf } = resolve(schema)
  const rows = Object.entries(properties).map(([name, property]) => ({
    name,
    where: 'body',
    type: typeOf(property, resolve),
    required: required.includes(name),
  }))
  const others = [...(anyOf ?? []), ...(oneOf ?? [])].flatMap((choice) => fieldsIn(choice, resolve))
  return [
    ...rows,
    ...others.filter(({ name }, index) => others.findIndex((row) => row.name === name) === index),
  ]
}

/** A type in words: `list of text`, `running or stopped`, `integer or nothing`. */
function typeOf(schema: Schema | undefined, resolve: Resolve, depth = 0): string {
  const known = resolve(schema)
  if (depth > 3) return 'value'
  if (known.const !== undefined) return JSON.stringify(known.const)
  if (known.enum !== undefined) return known.enum.map(String).join(' or ')
  const choices = known.anyOf ?? known.oneOf ?? known.allOf
  if (choices !== undefined)
    return unique(choices.map((choice) => typeOf(choice, resolve, depth + 1))).join(' or ')
  const types = Array.isArray(known.type) ? known.type : known.type === undefined ? [] : [known.type]
  return unique(types.map((type) => plainType(type, known, resolve, depth))).join(' or ') || 'value'
}

function plainType(type: string, schema: Schema, resolve: Resolve, depth: number): string {
  if (type === 'array') return `list of ${typeOf(schema.items, resolve, depth + 1)}`
  if (type === 'null') return 'nothing'
  if (type === 'boolean') return 'true or false'
  if (type === 'string') return schema.format === undefined ? 'text' : schema.format
  return type
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}
