import type { types } from '@slack/bolt'
import { z } from 'zod'
import type { Log } from '../../src/base/log.ts'
import { type Api, SlackRefusal } from './api.ts'
import type { Pace } from './pace.ts'
import { viewFaults } from './schema.ts'

/** Windows and App Home. All of it may throw Outage and SlackRefusal. */
export interface Windows {
  /** Opens a window. Nothing when the click that allows it is older than three seconds or was used. */
  open(trigger: string, view: types.ModalView): Promise<string | undefined>
  /**
   * Shows something else in an open window; one that is closed is left alone. Without Slack's `hash`: what was typed
   * meanwhile stays, since its fields keep their ids, and windows are drawn one after the other.
   */
  show(id: string, view: types.ModalView): Promise<void>
  publish(user: string, view: types.HomeView): Promise<void>
}

const Opened = z.object({ view: z.object({ id: z.string() }) })
/** A trigger lives for three seconds and is good once. */
const late = [
  'expired_trigger_id',
  'exchanged_trigger_id',
  'invalid_trigger_id',
  'trigger_exchanged',
  'trigger_expired',
]
const closed = ['not_found', 'view_not_found']

export function openWindows({ api, pace, log }: { api: Api; pace: Pace; log: Log }): Windows {
  const known = (view: types.View): types.View => {
    const faults = viewFaults(view)
    if (faults.length > 0) log.error({ faults: faults.slice(0, 5) }, 'a window does not fit Slack')
    return view
  }
  return {
    async open(trigger, view) {
      const opened = await unless(late, () =>
        pace.call(() => api.call('views.open', { trigger_id: trigger, view: known(view) }, Opened)),
      )
      return opened?.view.id
    },
    async show(id, view) {
      const args = { view_id: id, view: known(view) }
      await unless(closed, () => pace.call(() => api.call('views.update', args, z.object({}))))
    },
    async publish(user, view) {
      await pace.call(() => api.call('views.publish', { user_id: user, view: known(view) }, z.object({})))
    },
  }
}

async function unless<T>(codes: readonly string[], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof SlackRefusal && codes.includes(error.code)) return undefined
    throw error
  }
}
