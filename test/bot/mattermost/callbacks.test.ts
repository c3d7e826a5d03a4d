import { generateKeyPairSync, sign } from 'node:crypto'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { sealState } from '../../../bot/mattermost/callback-proof.ts'
import { system } from '../../../src/identity/person.ts'
import { showRequest } from '../../../src/operations/show-request.ts'
import { plusMillis } from '../../../src/base/clock.ts'
import { makeUser, personAt, zoneIn } from '../../fakes/mattermost/people.ts'
import { type FakePost, newId } from '../../fakes/mattermost/world.ts'
import { shownOf } from './as-text.ts'
import { type MattermostSite, openMattermostSite } from './stage.ts'

let there: MattermostSite
const said: string[] = []
beforeAll(async () => {
  there = await openMattermostSite({
    log: pino({ level: 'warn' }, { write: (line: string) => void said.push(line) }),
  })
})
afterAll(() => there.close())

const wish = (name: string) => `/vm request slc5 2cpu 4gb for 60d budget T-1042 name ${name} why tests`

/** Alice asks for a server: the card that bob got, and the id of the request. */
async function asked(name: string): Promise<{ post: FakePost; id: string }> {
  const alice = there.as('alice')
  await alice.command(alice.home(), wish(name))
  await there.site.settle()
  const post = newest('bob')
  return { post, id: /R-\d+/.exec(JSON.stringify(post.props))?.[0] ?? '' }
}

function newest(user: string): FakePost {
  const { id } = there.as(user).home()
  const posts = [...there.fake.world.posts.values()].filter(({ channel_id: channel }) => channel === id)
  const post = posts.toSorted((a, b) => a.create_at - b.create_at).at(-1)
  if (post === undefined) throw new Error(`${user} was sent nothing`)
  return post
}

const stateOf = async (id: string) =>
  (await there.site.service.operations.perform(showRequest, system(), { id })).state

const Actions = z.object({
  attachments: z.array(
    z.object({
      actions: z
        .array(
          z.object({
            name: z.string(),
            integration: z.object({ url: z.string(), context: z.record(z.string(), z.unknown()) }),
          }),
        )
        .default([]),
    }),
  ),
})

/** What the server would send if bob pressed Approve, to be changed by whoever forges it. */
function approval(post: FakePost): Record<string, unknown> & { context: Record<string, unknown> } {
  const actions = Actions.parse(post.props).attachments.flatMap((one) => one.actions)
  const context = actions.find(({ name }) => name === 'Approve')?.integration.context ?? {}
  const bob = there.as('bob').user
  return {
    ...{ user_id: bob.id, user_name: 'bob', channel_id: post.channel_id, team_id: '', post_id: post.id },
    ...{ trigger_id: trigger(bob.id), type: 'button', data_source: '', context },
  }
}

function trigger(user: string, at = there.fake.world.now()): string {
  return there.fake.world.sign({ id: newId(), user, at })
}

async function send(path: 'command' | 'action' | 'dialog', body: unknown): Promise<number> {
  const isForm = body instanceof URLSearchParams
  const response = await fetch(`${there.site.url}/mattermost/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' },
    body: isForm ? body : JSON.stringify(body),
  })
  await response.body?.cancel()
  return response.status
}

/** A signature by somebody else's key. */
function forgedTrigger(user: string): string {
  const data = `${newId()}:${user}:${there.fake.world.now()}:`
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const signature = sign('sha256', Buffer.from(data), { key: privateKey, dsaEncoding: 'der' })
  return Buffer.from(data + signature.toString('base64')).toString('base64')
}

describe('a press', () => {
  type Forgery = (real: ReturnType<typeof approval>, other: FakePost) => unknown
  const mallory = () => there.as('carol').user.id
  const forgeries: readonly (readonly [name: string, forge: Forgery])[] = [
    ['without a trigger id', (real) => ({ ...real, trigger_id: '' })],
    [
      'with a trigger id that another key signed',
      (real) => ({ ...real, trigger_id: forgedTrigger(String(real.user_id)) }),
    ],
    ['with the trigger id of somebody else', (real) => ({ ...real, trigger_id: trigger(mallory()) })],
    ['in the name of somebody else', (real) => ({ ...real, user_id: mallory() })],
    [
      'that is two minutes old',
      (real) => ({ ...real, trigger_id: trigger(String(real.user_id), there.fake.world.now() - 120_000) }),
    ],
    [
      'from two minutes ahead',
      (real) => ({ ...real, trigger_id: trigger(String(real.user_id), there.fake.world.now() + 120_000) }),
    ],
    ['without what the button carried', (real) => ({ ...real, context: {} })],
    [
      'with another deed in it',
      (real) => ({
        ...real,
        context: {
          ...real.context,
          deed: JSON.stringify({ kind: 'press', action: 'deny-request', value: 'R-1', label: 'x' }),
        },
      }),
    ],
    ['about something else', (real) => ({ ...real, context: { ...real.context, about: 'machine:x' } })],
    ['with the seal left out', (real) => ({ ...real, context: { ...real.context, mac: undefined } })],
    ['with an empty seal', (real) => ({ ...real, context: { ...real.context, mac: '' } })],
    [
      'made out to be only for one person',
      (real) => ({ ...real, context: { ...real.context, user: real.user_id } }),
    ],
    ['moved to another channel', (real, other) => ({ ...real, channel_id: other.channel_id })],
    ['moved to another post', (real, other) => ({ ...real, post_id: other.id })],
    ['moved to a post that is not there', (real) => ({ ...real, post_id: newId() })],
    [
      'moved with its context to the channel of another post',
      (real, other) => ({
        ...real,
        channel_id: other.channel_id,
        post_id: other.id,
        context: { ...real.context, channel: other.channel_id },
      }),
    ],
  ]

  test.each(forgeries)('%s does nothing', async (_name, forge) => {
    const { post, id } = await asked(`f${newId().slice(0, 10)}`)
    const other = newest('alice')

    const status = await send('action', forge(approval(post), other))

    expect([200, 403]).toContain(status)
    expect(said.at(-1)).toContain('mattermost callback is not believed')
    expect(await stateOf(id)).toBe('pending')
  })

  test('that is sent a second time does nothing more', async () => {
    const { post, id } = await asked('replayed')
    const body = approval(post)

    const statuses = [await send('action', body), await send('action', body)]

    expect(statuses).toEqual([200, 403])
    expect(await stateOf(id)).not.toBe('pending')
  })

  test('on a card that has changed since is told so, and does nothing', async () => {
    const { post, id } = await asked('changed')
    const [first, second] = [approval(post), approval(post)]
    await send('action', { ...first, context: denyOf(post) })
    const bob = there.as('bob')
    await bob.send(bob.dialog(), { answer: 'no need' })

    const status = await send('action', second)

    expect(status).toBe(200)
    expect(await stateOf(id)).toBe('denied')
  })

  function denyOf(post: FakePost): Record<string, unknown> {
    const actions = Actions.parse(post.props).attachments.flatMap((one) => one.actions)
    return actions.find(({ name }) => name === 'Deny')?.integration.context ?? {}
  }

  test('that is real is believed after the server was given a new key', async () => {
    const { post, id } = await asked('newkey')
    there.site.clock.set(plusMillis(there.site.clock.now(), 61_000))
    there.fake.world.changeKey()

    await there.as('bob').press(post, 'Approve')

    expect(await stateOf(id)).not.toBe('pending')
  })
})

describe('a command', () => {
  const form = (changes: Record<string, string>): URLSearchParams => {
    const alice = there.as('alice')
    const command = there.fake.world.commands.get('vm')
    return new URLSearchParams({
      ...{ token: command?.token ?? '', team_id: there.fake.world.team.id, channel_id: alice.home().id },
      ...{ user_id: alice.user.id, command: '/vm', text: 'list', trigger_id: trigger(alice.user.id) },
      ...changes,
    })
  }

  test('as the server sends it is answered', async () => {
    expect(await send('command', form({}))).toBe(200)
  })

  test.each([
    ['with another token', () => ({ token: newId() })],
    ['without a token', () => ({ token: '' })],
    ['with the name of another command', () => ({ command: '/shutdown' })],
    ['from another team', () => ({ team_id: newId() })],
    ['with a forged trigger id', () => ({ trigger_id: forgedTrigger(there.as('alice').user.id) })],
    ['in the name of somebody else', () => ({ user_id: there.as('bob').user.id })],
    ['with an id that is a path', () => ({ user_id: '../../users/me' })],
  ])('%s is refused', async (_name, changes) => {
    const before = there.fake.world.posts.size

    expect(await send('command', form(changes()))).toBe(403)
    expect(there.fake.world.posts.size).toBe(before)
  })

  test('that is sent a second time is refused', async () => {
    const body = form({})

    const statuses = [await send('command', body), await send('command', body)]

    expect(statuses).toEqual([200, 403])
  })
})

describe('a dialog', () => {
  async function opened(line: string) {
    const alice = there.as('alice')
    await alice.command(alice.home(), line)
    return { alice, dialog: alice.dialog() }
  }
  const filled = (name: string) => ({ purpose: 'tests', cpus: '2', memory: '4', name })
  const requests = () => there.fake.world.posts.size

  test('that is sent by somebody else does nothing', async () => {
    const { dialog } = await opened('/vm request slc5 for 60d budget T-1042')
    const before = requests()

    const { status } = await there.as('bob').send(dialog, filled('stolen'))

    expect(status).toBe(403)
    expect(requests()).toBe(before)
  })

  test('whose state was changed does nothing', async () => {
    const { alice, dialog } = await opened('/vm request slc5 for 60d budget T-1042')
    const forged = { ...dialog, dialog: { ...dialog.dialog, state: `${String(dialog.dialog.state)}x` } }

    expect((await alice.send(forged, filled('forged'))).status).toBe(403)
  })

  test('whose state somebody made up does nothing', async () => {
    const { alice, dialog } = await opened('/vm request slc5 for 60d budget T-1042')
    const state = sealState('a key that is not ours', {
      ...{
        nonce: newId(),
        user: alice.user.id,
        kind: 'press',
        action: 'delete-machine',
        value: 'x',
        round: 0,
      },
      ...{
        channel: alice.home().id,
        root: '',
        post: '',
        about: '',
        isForm: false,
        at: there.fake.world.now(),
      },
    })

    expect((await alice.send({ ...dialog, dialog: { ...dialog.dialog, state } })).status).toBe(403)
  })

  test('that was open for more than half an hour says so', async () => {
    const { alice, dialog } = await opened('/vm request slc5 for 60d budget T-1042')
    there.site.clock.set(plusMillis(there.site.clock.now(), 31 * 60_000))

    expect((await alice.send(dialog, filled('late'))).body.error).toMatch(/half an hour/)
  })

  test('that is sent twice asks once', async () => {
    const { alice, dialog } = await opened('/vm request slc5 for 60d budget T-1042')

    const first = await alice.send(dialog, filled('twice'))
    await there.site.settle()
    const after = requests()
    const second = await alice.send(dialog, filled('twice'))
    const third = await alice.send(dialog, filled('thrice'))
    await there.site.settle()

    expect(first).toEqual({ status: 200, body: {} })
    expect(second.status).toBe(200)
    expect(third.status).toBe(200)
    expect(requests()).toBe(after)
  })

  test('shows what is wrong beside the field, and can be sent again', async () => {
    const { alice, dialog } = await opened('/vm request slc5 for 60d budget T-1042')

    const wrong = await alice.send(dialog, { ...filled('again'), cpus: '99' })
    const right = await alice.send(dialog, filled('again'))

    expect(JSON.stringify(wrong.body)).toMatch(/^\{"errors":\{"cpus":"[^"]*4/)
    expect(right.body).toEqual({})
  })

  test('says the price of what is filled in, as often as it is asked, and asks for nothing', async () => {
    const { alice, dialog } = await opened('/vm request')
    const before = requests()

    const first = await alice.refresh(dialog, { template: 'slc5', term: '60d' }, 'template')
    const form = z.object({ form: z.record(z.string(), z.unknown()) }).parse(first.body).form
    const second = await alice.refresh(
      { ...dialog, dialog: form },
      { template: 'slc5', term: '60d', cpus: '2', memory: '4', price1: 'now' },
      'price1',
    )

    expect(shownOf(String(form.introduction_text))).toContain('27.84 CHF')
    expect(JSON.stringify(second.body)).toContain('107.30 CHF')
    expect(JSON.stringify(second.body)).toContain('price2')
    expect(requests()).toBe(before)
  })
})

describe('somebody who gets nothing:', () => {
  test.each([
    ['a guest', { roles: 'system_guest' }],
    ['a program', { is_bot: true }],
    ['somebody who has left', { delete_at: 1 }],
  ])('%s is neither answered nor told how to link', async (_what, extras) => {
    const user = makeUser(there.fake, `x${newId().slice(0, 8)}`, extras)
    const person = personAt(there.fake, user, there.bot)
    const before = there.fake.world.posts.size

    const { status } = await person.command(there.town, '/vm list')

    expect(status).toBe(200)
    expect(person.whispers()).toEqual([])
    expect(there.fake.world.posts.size).toBe(before)
  })

  test('whoever is not linked yet is given a link that only they see', async () => {
    const person = personAt(there.fake, makeUser(there.fake, 'dave'), there.bot)

    await person.command(there.town, '/vm list')

    expect(person.whispers().map(({ text }) => text)).toEqual([expect.stringContaining('/accounts/link/')])
  })
})

describe('among others', () => {
  test('a command is answered to whoever typed it alone', async () => {
    const carol = there.as('carol')
    const before = there.fake.world.posts.size

    await carol.command(there.town, '/vm templates')

    expect(carol.whispers().at(-1)?.attachments).not.toEqual([])
    expect(there.fake.world.posts.size).toBe(before)
  })

  test('what will change goes to the direct channel, and where it was typed that is said', async () => {
    const alice = there.as('alice')

    await alice.command(there.town, wish('quietly'))

    expect(shownOf(alice.whispers().at(-1)?.text ?? '')).toMatch(/waits for bob[\s\S]*direct messages/)
    expect(shownOf(newest('alice').message)).toMatch(/waits for bob/)
  })

  test('a button of what only one person sees works for them, and its answer is in their direct channel', async () => {
    const alice = there.as('alice')
    await alice.command(there.town, '/vm quote w2008r2 4gb 2cpu for 60d')
    const whisper = alice.whispers().at(-1)
    if (whisper === undefined) throw new Error('nothing was whispered')

    await alice.press(whisper, 'Request it')

    expect(alice.dialog().dialog.title).toBe('Request servers')
  })

  test('a mistake at a press is whispered, and changes no card', async () => {
    const { post } = await asked('notyours')
    const carol = there.as('carol')

    const { body } = await carol.press(post, 'Approve')

    expect(body.ephemeral_text).toMatch(/R-\d+/)
    expect(there.fake.world.posts.get(post.id)?.props).toEqual(post.props)
  })
})

test('what became of a card is told in its thread, once, and the card itself shows how it is', async () => {
  const alice = there.as('alice')
  await alice.command(alice.home(), '/vm request slc5 4cpu 16gb for 60d budget T-2000 name shared why tests')
  await there.site.settle()
  const [bobs, carols] = [newest('bob'), newest('carol')]

  await there.as('bob').press(bobs, 'Approve')
  await there.site.settle()
  await there.site.settle()

  const lines = [...there.fake.world.posts.values()].filter(({ root_id: root }) => root === carols.id)
  expect(lines.map(({ message }) => shownOf(message))).toEqual([
    expect.stringMatching(/^bob approved R-\d+ of alice/),
  ])
  expect(shownOf(there.fake.world.posts.get(carols.id)?.message ?? '')).toMatch(/^bob approved/)
})

test('times are those of the zone in which somebody reads', async () => {
  const olga = there.as('olga')
  const { post } = await asked('zoned')
  olga.user.timezone = zoneIn('Asia/Tokyo')

  await olga.command(olga.home(), `/vm show ${/R-\d+/.exec(JSON.stringify(post.props))?.[0] ?? ''}`)

  const [seen, own] = [newest('olga'), post].map(({ props }) =>
    /Decide? by","value":"([^(]*)|Decision by","value":"([^(]*)/.exec(JSON.stringify(props)),
  )
  expect(seen?.[1] ?? seen?.[2]).toBeDefined()
  expect(seen?.[1] ?? seen?.[2]).not.toBe(own?.[1] ?? own?.[2])
})

test('what is destructive is asked first, in a dialog that says what is lost', async () => {
  const alice = there.as('alice')
  const { post } = await asked('precious')
  await there.as('bob').press(post, 'Approve')
  await there.site.settle()
  await alice.command(alice.home(), '/vm show precious')

  await alice.press(newest('alice'), 'Delete')
  const dialog = alice.dialog()

  expect(dialog.dialog).toMatchObject({
    title: 'Delete precious?',
    elements: [],
    submit_label: 'Delete precious',
  })
  expect(shownOf(String(dialog.dialog.introduction_text))).toContain('its disks are deleted for good')
})

test('what was not believed is logged without what would make it believed', () => {
  const secrets = [...there.fake.world.users.values()]
    .map(({ token }) => token)
    .filter((token) => token !== '')
  const command = there.fake.world.commands.get('vm')?.token ?? 'none'

  expect(said.length).toBeGreaterThan(20)
  expect(
    said.filter((line) => [...secrets, command, '"mac"', 'trigger_id'].some((one) => line.includes(one))),
  ).toEqual([])
})

test('the fake was asked nothing that is not described', () => {
  expect(there.fake.faults).toEqual([])
})
