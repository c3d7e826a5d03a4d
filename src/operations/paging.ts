import type { CollectionName, Documents, Indexes, Page, ReadCollection } from '../store/store.ts'

/** How many documents are looked through for one page, so that a rare thing costs a bounded read. */
const reach = 2000
const stride = 200

/**
 * A page of those that `keep` keeps. A page may be short although more follow: `next` says so.
 * @param options `newestFirst` and `where` as in the store's own pages; `cursor` is the `next` of the page before.
 */
export async function pageOf<K extends CollectionName>(
  collection: ReadCollection<K>,
  options: {
    where?: { index: Indexes[K]; key: string } | undefined
    cursor?: string | undefined
    limit: number
    newestFirst?: boolean
    order: (document: Documents[K]) => string
  },
  keep: (document: Documents[K]) => boolean,
): Promise<Page<Documents[K]>> {
  const items: Documents[K][] = []
  let after = options.cursor
  for (let seen = 0; seen < reach; seen += stride) {
    const page = await collection.page({
      limit: stride,
      newestFirst: options.newestFirst ?? false,
      ...(options.where === undefined ? {} : { where: options.where }),
      ...(after === undefined ? {} : { after }),
    })
    for (const document of page.items) {
      if (!keep(document)) continue
      if (items.length === options.limit) return { items, next: orderOfLast(items, options.order) }
      items.push(document)
    }
    if (page.next === null) return { items, next: null }
    after = page.next
  }
  return { items, next: after ?? null }
}

function orderOfLast<T>(items: readonly T[], order: (item: T) => string): string | null {
  const last = items.at(-1)
  return last === undefined ? null : order(last)
}
