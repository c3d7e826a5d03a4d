import { z } from 'zod'
import { refuse } from '../base/errors.ts'
import { keyFacts, PublicKey } from '../identity/ssh-key.ts'
import { change, query } from './operation.ts'
import { anybody } from './rules.ts'
import { settingsOf } from './settings.ts'

const most = 20

const KeyShape = z.object({
  /** Such as `ssh-ed25519`. */
  type: z.string(),
  /** As `ssh-keygen -l` prints it. */
  fingerprint: z.string(),
  comment: z.string(),
  key: z.string(),
  /** Whether the directory gives it; such a key is changed there. */
  fromDirectory: z.boolean(),
})
const KeysShape = z.object({ items: z.array(KeyShape) })
export type KeysView = z.infer<typeof KeysShape>

export const listKeys = query({
  name: 'list-keys',
  summary: 'Show the SSH keys that are put on the Linux servers you are an administrator of.',
  http: { method: 'GET', path: '/keys' },
  input: z.object({}),
  output: KeysShape,
  allow: anybody,
  ask: ({ directory }, _input, { user }) => directory.keysOf(user),
  run: async ({ tx, caller }, _input, given) =>
    viewOf((await settingsOf(tx, caller.user)).sshKeys ?? [], given),
})

export const changeKeys = change({
  name: 'change-keys',
  summary: 'Say which SSH keys are put on the Linux servers you are an administrator of, when they are made.',
  http: { method: 'POST', path: '/keys' },
  input: z.object({ keys: z.array(PublicKey).max(most) }),
  output: KeysShape,
  allow: anybody,
  ask: ({ directory }, _input, { user }) => directory.keysOf(user),
  async run({ tx, caller }, { keys }, given) {
    const known = await settingsOf(tx, caller.user)
    const fingerprints = keys.map((key) => keyFacts(key)?.fingerprint)
    if (new Set(fingerprints).size < keys.length) refuse('invalid_input', 'One key stands there twice.')
    await tx.settings.put({ ...known, sshKeys: keys })
    return viewOf(keys, given)
  },
})

/** Keys of the directory that nobody could log in with are left out. */
function viewOf(own: readonly string[], given: readonly string[]): KeysView {
  const described = (key: string, fromDirectory: boolean) => {
    const facts = keyFacts(key)
    return facts === undefined ? [] : [{ ...facts, key, fromDirectory }]
  }
  return {
    items: [...given.flatMap((key) => described(key, true)), ...own.flatMap((key) => described(key, false))],
  }
}
