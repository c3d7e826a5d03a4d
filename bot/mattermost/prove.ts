import { system } from '../../src/identity/person.ts'
import { noteOnce, siteKey } from '../../src/operations/vouchers.ts'
import type { Operations } from '../../src/operations/perform.ts'
import type { Api } from './api.ts'
import {
  type Carried,
  type CommandToken,
  type DialogState,
  isOurCommand,
  openButton,
  openState,
  type Proof,
  readTrigger,
} from './callback-proof.ts'
import type { Action, SentDialog, SlashCommand } from './inbound.ts'
import { ours } from './posts.ts'
import type { Post } from './schema.ts'
import type { Server } from './server.ts'

/** Proves callbacks: with what was sealed, with what the server says, and by remembering what was seen. */
export interface Prover {
  /** The key that buttons and dialogs are sealed with: the site's own, made when it is first asked for. */
  key(): Promise<string>
  command(command: SlashCommand): Promise<Proof<{ id: string }>>
  /** @returns also the thread that the post stands in; empty outside of one */
  action(action: Action): Promise<Proof<Proven>>
  dialog(sent: SentDialog): Promise<Proof<DialogState>>
  /** Whether something is seen for the first time, by this process or another. */
  isNew(kind: 'trigger' | 'dialog' | 'post', key: string): Promise<boolean>
}

/** A press that is proven. */
export interface Proven extends Carried {
  /** Of this one press. */
  id: string
  root: string
}

export interface ProverServices {
  api: Api
  server: Server
  operations: Operations
  tokens: readonly CommandToken[]
  nowMillis: () => number
}

/** Longer than a trigger, a dialog or a post could still come. */
const remembered = { trigger: 300, dialog: 3600, post: 86_400 }

const no = (fault: Extract<Proof<never>, { ok: false }>['fault']): Extract<Proof<never>, { ok: false }> => ({
  ok: false,
  fault,
})

export function openProver(services: ProverServices): Prover {
  const { server, operations, tokens, nowMillis } = services
  let key: Promise<string> | undefined

  function keyOnce(): Promise<string> {
    if (key !== undefined) return key
    const asked = operations
      .perform(siteKey, system(), { name: 'mattermost-callbacks' })
      .then((answer) => answer.key)
    key = asked
    asked.catch(() => {
      key = undefined
    })
    return asked
  }

  async function isNew(kind: keyof typeof remembered, id: string): Promise<boolean> {
    const input = { purpose: `mattermost-${kind}`, key: id, seconds: remembered[kind] }
    return (await operations.perform(noteOnce, system(), input)).isNew
  }

  /** Who acted, signed by the server, and for the first time. */
  async function trigger(text: string, user: string): Promise<Proof<{ id: string }>> {
    const first = readTrigger(text, (await server.known()).publicKey, nowMillis())
    // The server may have been given a new key since it was asked.
    const isOldKey = !first.ok && first.fault === 'bad_signature'
    const read = isOldKey ? readTrigger(text, (await server.again()).publicKey, nowMillis()) : first
    if (!read.ok) return read
    if (read.value.user !== user) return no('wrong_person')
    if (!(await isNew('trigger', read.value.id))) return no('replayed')
    return { ok: true, value: { id: read.value.id } }
  }

  return {
    key: keyOnce,
    isNew,
    async command({ trigger: name, token, team, user, triggerId }) {
      if (!isOurCommand(tokens, name, token)) return no('bad_signature')
      const known = await server.known()
      if (team !== '' && team !== known.team) return no('wrong_place')
      return trigger(triggerId, user)
    },
    async action({ user, channel, post, triggerId, context }) {
      const carried = openButton(await keyOnce(), context, { channel, user }, nowMillis())
      if (!carried.ok) return carried
      const read = await trigger(triggerId, user)
      if (!read.ok) return read
      const { rendering } = carried.value
      const proven = { ...carried.value, id: read.value.id }
      if (proven.user !== '') return { ok: true, value: { ...proven, root: '' } }
      const stands = await whereItWas(services, { post, channel, rendering })
      return stands === undefined
        ? no('wrong_place')
        : { ok: true, value: { ...proven, root: stands.root_id } }
    },
    async dialog({ state, user }) {
      return openState(await keyOnce(), state, user, nowMillis())
    },
  }
}

/** The post of a button, if it is one of ours, in that channel, and shows what the button was drawn with. */
async function whereItWas(
  { api, server }: ProverServices,
  button: { post: string; channel: string; rendering: string },
): Promise<Post | undefined> {
  const [{ me }, post] = await Promise.all([server.known(), api.post(button.post)])
  if (post === undefined || post.delete_at > 0 || post.user_id !== me.id) return undefined
  return post.channel_id === button.channel && ours(post).rendering === button.rendering ? post : undefined
}
