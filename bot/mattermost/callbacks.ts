import express, { type NextFunction, type Request, type Response, Router } from 'express'
import { messageOf } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import type { Answers, Asker } from './answers.ts'
import type { Api } from './api.ts'
import type { Proof } from './callback-proof.ts'
import { linkTo } from './escape.ts'
import { parseAction, parseCommand, parseDialog } from './inbound.ts'
import type { People, Who } from './people.ts'
import type { Prover } from './prove.ts'
import type { Talk } from './talk.ts'

export interface CallbackServices {
  api: Api
  people: People
  prover: Prover
  answers: Answers
  talk: Talk
  log: Log
  /** Keeps work that goes on after the answer, so that closing waits for it. */
  carryOn: (work: Promise<void>) => void
  /** How long Mattermost is kept waiting for a whole answer. */
  patienceMillis: number
}

type Serve = (body: unknown) => Promise<object | 'refused'>

/**
 * Where Mattermost calls: commands, buttons and menus, and dialogs. What is not proven is logged and does nothing. A whole
 * answer is given at once where that is quick; else it is said that it comes, and it comes by another way.
 */
export function callbackRouter(services: CallbackServices): Router {
  const router = Router()
  router.use(express.json({ limit: '512kb' }), express.urlencoded({ extended: false, limit: '64kb' }))
  router.post('/command', answering(services, command(services)))
  router.post('/action', answering(services, action(services)))
  router.post('/dialog', answering(services, dialog(services)))
  router.use((_request, response) => void response.status(404).json({ error: 'There is nothing here.' }))
  router.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    response.status(400).json({ error: 'This could not be read.' })
  })
  return router
}

const answering =
  ({ log }: CallbackServices, serve: Serve) =>
  async (request: Request, response: Response): Promise<void> => {
    response.setHeader('Cache-Control', 'no-store')
    try {
      const answer = await serve(request.body)
      if (answer === 'refused') response.status(403).json({ error: 'This could not be proven.' })
      else response.json(answer)
    } catch (error) {
      // The store or Mattermost itself; nothing was done, or it will be done once when it comes again.
      log.warn({ error: messageOf(error) }, 'mattermost callback failed')
      response.status(503).json({ error: 'This cannot be done just now. Try again in a moment.' })
    }
  }

/** Says in the log why something is not believed; tokens, seals and what was written are left out. */
function believed<T>(
  { log }: CallbackServices,
  what: 'command' | 'action' | 'dialog',
  account: string | undefined,
  proof: Proof<T>,
): T | undefined {
  if (proof.ok) return proof.value
  log.warn({ fault: proof.fault, what, account }, 'mattermost callback is not believed')
  return undefined
}

const unread: Proof<never> = { ok: false, fault: 'malformed' }

function command(services: CallbackServices): Serve {
  const { prover, people, talk } = services
  return async (body) => {
    const sent = parseCommand(body)
    const proof = sent === undefined ? unread : await prover.command(sent)
    const proven = believed(services, 'command', sent?.user, proof)
    if (sent === undefined || proven === undefined) return 'refused'
    const who = await people.whoIs(sent.user)
    if (who.kind !== 'person') return { response_type: 'ephemeral', text: await introduction(services, who) }
    const work = talk.command(askerOf(who, sent.user), sent, `mattermost:${proven.id}`)
    const late = async (answer: object): Promise<void> => {
      if ('text' in answer) await services.api.respond(hookPath(sent.responseUrl), answer)
    }
    return soon(services, work, late, { response_type: 'ephemeral', text: 'Working on it.' })
  }
}

function action(services: CallbackServices): Serve {
  const { prover, people, talk, answers, api } = services
  return async (body) => {
    const sent = parseAction(body)
    const proof = sent === undefined ? unread : await prover.action(sent)
    const proven = believed(services, 'action', sent?.user, proof)
    if (sent === undefined) return 'refused'
    if (proven === undefined)
      return proof.ok || proof.fault !== 'wrong_place' ? 'refused' : { ephemeral_text: moved }
    const who = await people.whoIs(sent.user)
    if (who.kind !== 'person') return { ephemeral_text: await introduction(services, who) }
    const work = talk.press(askerOf(who, sent.user), sent, proven)
    const late = async (answer: object): Promise<void> => {
      if (!('ephemeral_text' in answer) || typeof answer.ephemeral_text !== 'string') return
      const channel = await answers.home(sent.user)
      await api.createPost({ channel_id: channel, message: answer.ephemeral_text, props: {} })
    }
    return soon(services, work, late, {})
  }
}

const moved =
  'This card has changed since it was drawn, so nothing was done. Look at it again and press once more.'

function dialog(services: CallbackServices): Serve {
  const { prover, people, talk } = services
  return async (body) => {
    const sent = parseDialog(body)
    const proof = sent === undefined ? unread : await prover.dialog(sent)
    const state = believed(services, 'dialog', sent?.user, proof)
    if (sent === undefined) return 'refused'
    if (state === undefined) {
      const tooOld = !proof.ok && proof.fault === 'too_old'
      return tooOld ? { error: 'This form was open for more than half an hour. Open it again.' } : 'refused'
    }
    const who = await people.whoIs(sent.user)
    if (who.kind !== 'person') return { error: 'This account is not linked to a person of this site.' }
    return talk.dialog(askerOf(who, sent.user), sent, state)
  }
}

function askerOf({ caller, zone }: Extract<Who, { kind: 'person' }>, id: string): Asker {
  return { caller, id, zone }
}

/** How somebody says who they are. Guests, programs and those who have left are told nothing. */
export async function introduction({ people }: Pick<CallbackServices, 'people'>, who: Who): Promise<string> {
  if (who.kind !== 'unlinked') return ''
  const link = linkTo('Sign in and link this account', await people.linkUrl(who.account))
  return `I do not know yet who you are. ${link}: the link is good once, for 15 minutes. Then say it again.`
}

/** Where a later answer goes: only to our own Mattermost, whatever address came. */
function hookPath(responseUrl: string): string {
  const path = URL.canParse(responseUrl) ? new URL(responseUrl).pathname : ''
  const [found] = /\/hooks\/commands\/[a-z0-9]{26}$/.exec(path) ?? []
  return found ?? '/hooks/commands/none'
}

/** The answer if it is there soon; else `meanwhile`, and the answer by another way. */
async function soon(
  { patienceMillis, carryOn, log }: CallbackServices,
  work: Promise<object>,
  late: (answer: object) => Promise<void>,
  meanwhile: object,
): Promise<object> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patienceMillis)
  })
  const answer = await Promise.race([work, patience])
  clearTimeout(timer)
  if (answer !== undefined) return answer
  carryOn(
    work.then(late).catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'mattermost answer could not be given')
    }),
  )
  return meanwhile
}
