import { z } from 'zod'
import { pageOf } from './paging.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'
import { Paging } from './shapes/fields.ts'
import { RequestShape, requestStateNames, requestView } from './shapes/request.ts'
import { maySeeRequest } from './show-request.ts'
import { requestOrder } from '../requests/request.ts'

export const listRequests = query({
  name: 'list-requests',
  summary: 'List requests, newest first: those that you may see, or only yours, or those that wait for you.',
  http: { method: 'GET', path: '/requests' },
  input: z.object({
    state: requestStateNames.optional(),
    mine: z.stringbool().optional(),
    waiting: z.stringbool().optional(),
    ...Paging,
  }),
  output: z.object({ items: z.array(RequestShape), next: z.string().nullable() }),
  allow: anybody,
  async run({ tx, caller, now, site }, { state, mine = false, waiting = false, limit = 50, cursor }) {
    const where = waiting
      ? ({ index: 'approver', key: caller.user } as const)
      : mine
        ? ({ index: 'requester', key: caller.user } as const)
        : state === undefined
          ? undefined
          : ({ index: 'state', key: state } as const)
    const page = await pageOf(
      tx.requests,
      { where, cursor, limit, newestFirst: true, order: requestOrder },
      (request) =>
        (state === undefined || request.state === state) && maySeeRequest({ caller, site }, request),
    )
    const items = await Promise.all(page.items.map((request) => requestView(request, { tx, now, site })))
    return { items, next: page.next }
  },
})
