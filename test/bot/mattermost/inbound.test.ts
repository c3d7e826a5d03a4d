import { generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Carried,
  commandTokens,
  isOurCommand,
  openButton,
  openState,
  readTrigger,
  sealButton,
} from '../../../bot/mattermost/callback-proof.ts'
import {
  lineFor,
  parseAction,
  parseCommand,
  parseDialog,
  parsePosted,
} from '../../../bot/mattermost/inbound.ts'
import { newId } from '../../fakes/mattermost/world.ts'

const now = Date.parse('2026-11-23T08:00:00.000Z')
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

/** Bodies that are nearly right, and bodies that are anything. */
const value = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(undefined, newId(), 'posted', '/vm', 'x'.repeat(20_000)),
)
const body = fc.oneof(
  fc.anything(),
  fc.dictionary(
    fc.constantFrom(
      ...[
        'token',
        'team_id',
        'channel_id',
        'user_id',
        'command',
        'text',
        'trigger_id',
        'root_id',
        'response_url',
      ],
      ...['post_id', 'context', 'state', 'submission', 'type', 'cancelled', 'event', 'data', '__proto__'],
    ),
    value,
  ),
)

describe('whatever comes in', () => {
  test.each([
    ['command', parseCommand],
    ['action', parseAction],
    ['dialog', parseDialog],
    ['event', parsePosted],
  ])('as a %s is read or is nothing, and never throws', (_name, parse) => {
    fc.assert(
      fc.property(body, (sent) => {
        expect(() => parse(sent)).not.toThrow()
      }),
      { numRuns: 1000 },
    )
  })

  test('as proof is believed only when it is one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), body, (text, context) => {
        expect(readTrigger(text, spki, now).ok).toBe(false)
        expect(openButton('key', context, { channel: 'c', user: 'u' }, now).ok).toBe(false)
        expect(openState('key', text, 'u', now).ok).toBe(false)
      }),
      { numRuns: 1000 },
    )
  })

  test('as a message is a line or nothing', () => {
    const post = fc.record({
      ...{ id: fc.constant(newId()), user_id: fc.constant(newId()), channel_id: fc.constant(newId()) },
      ...{
        message: fc.string(),
        create_at: fc.nat(),
        root_id: value,
        type: value,
        props: value,
        delete_at: value,
      },
    })
    fc.assert(
      fc.property(post, value, value, (written, type, mentions) => {
        const event = {
          event: 'posted',
          data: { post: JSON.stringify(written), channel_type: type, mentions },
        }
        const parsed = parsePosted(event)
        expect(
          parsed === undefined ? '' : (lineFor({ id: newId(), username: 'jack.daw' }, parsed) ?? ''),
        ).toEqual(expect.any(String))
      }),
      { numRuns: 500 },
    )
  })
})

describe('a trigger id', () => {
  const [id, user] = [newId(), newId()]
  const signed = (at: number, data = `${id}:${user}:${at}:`): string =>
    Buffer.from(
      data + sign('sha256', Buffer.from(data), { key: privateKey, dsaEncoding: 'der' }).toString('base64'),
    ).toString('base64')

  test('of the server says who acted', () => {
    expect(readTrigger(signed(now), spki, now)).toEqual({ ok: true, value: { id, user } })
  })

  test.each([
    ['that is old', signed(now - 61_000), spki, 'too_old'],
    ['from ahead', signed(now + 61_000), spki, 'too_old'],
    [
      'with another user in it',
      Buffer.from(Buffer.from(signed(now), 'base64').toString().replace(user, newId())).toString('base64'),
      spki,
      'bad_signature',
    ],
    ['where the server has no key', signed(now), '', 'bad_signature'],
    ['where the key cannot be read', signed(now), 'AAAA', 'bad_signature'],
    ['that signs something else', signed(now, `${id}:${user}:`), spki, 'malformed'],
    ['that is not one', 'hello', spki, 'malformed'],
  ])('%s proves nothing', (_name, text, key, fault) => {
    expect(readTrigger(text, key, now)).toEqual({ ok: false, fault })
  })
})

describe('what a button carries', () => {
  const carried: Carried = {
    deed: { kind: 'press', action: 'approve-request', value: 'R-1', label: 'Approve' },
    ...{ about: 'request:R-1', channel: newId(), rendering: 'r1', user: '' },
  }
  const pressed = { channel: carried.channel, user: newId() }
  const day = 24 * 3600 * 1000

  test('comes back as it was sealed, also when the server wrote its keys in another order', () => {
    const sealed = Object.entries(sealButton('key', carried, now))

    expect(openButton('key', Object.fromEntries(sealed.toReversed()), pressed, now)).toEqual({
      ok: true,
      value: carried,
    })
  })

  test.each([
    ['under another key', 'other', pressed, now, 'bad_signature'],
    ['in another channel', 'key', { ...pressed, channel: newId() }, now, 'wrong_place'],
    ['after half a year', 'key', pressed, now + 184 * day, 'too_old'],
  ])('counts for nothing %s', (_name, key, by, at, fault) => {
    expect(openButton(key, sealButton('key', carried, now), by, at)).toEqual({ ok: false, fault })
  })

  test('only for one person counts for nobody else', () => {
    const sealed = sealButton('key', { ...carried, user: newId() }, now)

    expect(openButton('key', sealed, pressed, now)).toEqual({ ok: false, fault: 'wrong_person' })
  })
})

describe('the token of a command', () => {
  test.each([
    ['alone', 'abc', 'vm', 'abc', true],
    ['for its command', 'vm:abc desktop:def', 'desktop', 'def', true],
    ['of another command', 'vm:abc desktop:def', 'desktop', 'abc', false],
    ['that is wrong', 'abc', 'vm', 'abd', false],
    ['that is missing where none is set', '', 'vm', '', false],
  ])('%s', (_name, set, trigger, token, expected) => {
    expect(isOurCommand(commandTokens(set), trigger, token)).toBe(expected)
  })
})

describe('a message', () => {
  const me = { id: newId(), username: 'jackdaw' }
  const written = (message: string, isDirect: boolean, extras = {}) => ({
    ...{ isDirect, mentions: [] },
    post: {
      ...{ id: newId(), user_id: newId(), channel_id: newId(), root_id: '', message, type: '' },
      ...{ create_at: 1, delete_at: 0, props: {}, ...extras },
    },
  })

  test.each([
    ['list', true, 'list'],
    ['@jackdaw list', false, 'list'],
    ['@Jackdaw: list mine', false, 'list mine'],
    ['could you list, @jackdaw', false, 'could you list,'],
    ['@jackdaw', false, 'help'],
    ['list', false, undefined],
    ['@jackdaws list', false, undefined],
    ['mail@jackdaw list', false, undefined],
    ['request slc5 admins @web-services', true, 'request slc5 admins @web-services'],
  ])('"%s" (direct: %s) is the line %s', (message, isDirect, line) => {
    expect(lineFor(me, written(message, isDirect))).toBe(line)
  })

  test.each([
    ['of its own', { user_id: me.id }],
    ['of the server', { type: 'system_join_channel' }],
    ['of another program', { props: { from_bot: 'true' } }],
    ['of a webhook', { props: { from_webhook: 'true' } }],
    ['that is deleted', { delete_at: 2 }],
  ])('%s is no line', (_name, extras) => {
    expect(lineFor(me, written('list', true, extras))).toBeUndefined()
  })
})
