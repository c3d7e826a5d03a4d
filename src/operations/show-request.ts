import { z } from 'zod'
import { notFound } from '../base/errors.ts'
import { hasRole, isNamed } from '../identity/person.ts'
import type { Request } from '../requests/request.ts'
import { query, type ReadContext } from './operation.ts'
import { anybody } from './rules.ts'
import { RequestShape, requestView } from './shapes/request.ts'

export const showRequest = query({
  name: 'show-request',
  summary: 'Show a request with its decisions.',
  http: { method: 'GET', path: '/requests/{id}' },
  input: z.object({ id: z.string().max(40) }),
  output: RequestShape,
  allow: anybody,
  async run({ tx, caller, now, site }, { id }) {
    const request = await tx.requests.get(id)
    if (request === undefined || !maySeeRequest({ caller, site }, request)) throw notFound('request', id)
    return requestView(request, { tx, now, site })
  },
})

/** Requester, approvers, the people of its budget, operators and auditors. */
export function maySeeRequest(
  { caller, site }: Pick<ReadContext, 'caller' | 'site'>,
  request: Request,
): boolean {
  if (request.requester === caller.user || request.approvers.some(({ user }) => user === caller.user))
    return true
  if (hasRole(caller, 'operator') || hasRole(caller, 'auditor')) return true
  const budget = site.budgets.find(({ code }) => code === request.budget)
  return budget !== undefined && isNamed(caller, [...budget.holders, ...budget.delegates])
}
