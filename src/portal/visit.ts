import type { Request } from 'express'
import type { VNode } from 'preact'
import { z } from 'zod'
import type { Clock, Instant } from '../base/clock.ts'
import { Refusal } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Callers } from '../api/callers.ts'
import type { Caller } from '../identity/person.ts'
import type { Operation } from '../operations/operation.ts'
import type { Operations } from '../operations/perform.ts'
import type { Site } from '../operations/site.ts'
import type { Layout, Page } from './layout.tsx'

/** What the portal stands on. */
export interface PortalServices {
  operations: Operations
  site: Site
  clock: Clock
  callers: Callers
  layout: Layout
  log: Log
  /** The OpenAPI document of this site, which `/api/docs` is made from. */
  openapi: object
  /** Tells a listener after each commit what it changed, until the function that it gives back is called. */
  onChange(listener: (changes: readonly { collection: string; id: string }[]) => void): () => void
}

/** What somebody typed or chose. A field that was left empty is not there. */
export interface Fields {
  get(name: string): string | undefined
  /** As it was typed, spaces included. For passwords. */
  exact(name: string): string
}

/** One request for a page, by somebody who is signed in. */
export interface Visit {
  caller: Caller
  now: Instant
  site: Site
  /** What the browser calls itself. */
  userAgent: string | undefined
  /** A part of the path; empty when there is none of that name. */
  param(name: string): string
  query: Fields
  form: Fields
  perform<Raw, Input, Asked, Answer>(
    operation: Operation<Raw, Input, Asked, Answer>,
    input: Raw,
  ): Promise<Answer>
}

/** What a page answers with. */
export type Answer =
  | (Pick<Page, 'title' | 'current' | 'body' | 'styles' | 'module'> & { status?: number })
  | { fragment: VNode; status?: number }
  | { redirect: string }
  | { file: Buffer; type: string; headers: Record<string, string> }

const Values = z.record(z.string(), z.union([z.string(), z.array(z.string())]).optional())

/** The fields of a form or of a query. Of a field that comes several times the first counts. */
export function fieldsOf(source: unknown): Fields {
  const parsed = Values.safeParse(source ?? {})
  const values = parsed.success ? parsed.data : {}
  const first = (name: string): string => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    return (Array.isArray(value) ? value[0] : value) ?? ''
  }
  return {
    exact: first,
    get(name) {
      const value = first(name).trim()
      return value === '' ? undefined : value
    },
  }
}

export function paramOf(request: Request, name: string): string {
  const value = request.params[name]
  return typeof value === 'string' ? value : ''
}

/** The outcome of something that may be refused, for a page that shows both. Outages are passed on. */
export async function attempt<T>(work: () => Promise<T>): Promise<{ done: T } | { refusal: Refusal }> {
  try {
    return { done: await work() }
  } catch (error) {
    if (error instanceof Refusal) return { refusal: error }
    throw error
  }
}

/** The fields that were filled in, by name, as an operation's input wants them. */
export function filled<K extends string>(fields: Fields, ...names: readonly K[]): Partial<Record<K, string>> {
  const found: Partial<Record<K, string>> = {}
  for (const name of names) {
    const value = fields.get(name)
    if (value !== undefined) found[name] = value
  }
  return found
}

const nowhere = 'http://portal.invalid'

/**
 * A path on our own site that somebody may be sent on to; `/` for anything that could lead elsewhere, such as
 * `//other.example`, `/\other.example` or `/.//other.example`, which browsers read as another host.
 */
export function localPath(text: string | undefined): string {
  if (text === undefined || !text.startsWith('/') || !URL.canParse(text, nowhere)) return '/'
  const url = new URL(text, nowhere)
  const path = `${url.pathname}${url.search}`
  return url.origin !== nowhere || path.startsWith('//') ? '/' : path
}
