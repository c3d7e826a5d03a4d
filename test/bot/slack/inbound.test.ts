import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseInbound } from '../../../bot/slack/inbound.ts'
import { windowData } from '../../../bot/slack/ids.ts'

const command = {
  command: '/vm',
  text: 'list',
  user_id: 'U0ALICE',
  team_id: 'T0SITE',
  channel_id: 'C0OPS',
  response_url: 'https://hooks.slack.com/commands/1',
  trigger_id: '1.2.abc',
}
const click = {
  type: 'block_actions',
  user: { id: 'U0ALICE', team_id: 'T0SITE' },
  team: { id: 'T0SITE' },
  trigger_id: '1.2.abc',
  response_url: 'https://hooks.slack.com/actions/1',
  container: { type: 'message', channel_id: 'D0BOT', message_ts: '17.000100', is_ephemeral: false },
  actions: [{ action_id: 'press.approve-request.0', block_id: 'b.3-0.v1.request:R-12', value: 'R-12' }],
}
const window = windowData({ kind: 'form', action: 'request', value: '', origin: { ephemeral: false } })
const view = {
  id: 'V1',
  hash: '1.h',
  private_metadata: window,
  state: {
    values: {
      'field.template': { value: { type: 'static_select', selected_option: { value: 'slc5' } } },
      'field.term': { value: { type: 'plain_text_input', value: '30d' } },
      'field.cpus': { value: { type: 'number_input', value: null } },
    },
  },
}
const sent = { type: 'view_submission', user: click.user, team: click.team, view }
const happened = (event: object) => ({ type: 'event_callback', event_id: 'Ev1', team_id: 'T0SITE', event })
const message = {
  type: 'message',
  channel_type: 'im',
  user: 'U0ALICE',
  text: 'list',
  channel: 'D0BOT',
  ts: '17.1',
}

describe('what comes from Slack', () => {
  test('a command is a line, with where it may be answered', () => {
    expect(parseInbound(command)).toMatchObject({
      kind: 'line',
      verbs: '/vm',
      text: 'list',
      place: { channel: 'C0OPS', responseUrl: command.response_url },
      key: 'command:1.2.abc',
    })
    expect(parseInbound({ ...command, command: '/desktop' })).toMatchObject({ verbs: '/desktop' })
  })

  test('a mention is answered in its thread, or begins one', () => {
    const mention = { ...message, type: 'app_mention', channel: 'C0OPS', channel_type: undefined }

    expect(parseInbound(happened(mention))).toMatchObject({ place: { channel: 'C0OPS', thread: '17.1' } })
    expect(parseInbound(happened({ ...mention, thread_ts: '16.5' }))).toMatchObject({
      place: { thread: '16.5' },
    })
  })

  test('a direct message is a line', () => {
    expect(parseInbound(happened(message))).toMatchObject({
      kind: 'line',
      place: { channel: 'D0BOT' },
      key: 'event:Ev1',
    })
  })

  test('a press says what was pressed, on which rendering, and what that card is about', () => {
    expect(parseInbound(click)).toMatchObject({
      kind: 'press',
      action: 'approve-request',
      value: 'R-12',
      pressed: {
        key: 'click:D0BOT:17.000100:v1:3-0:press.approve-request.0',
        origin: { channel: 'D0BOT', message: '17.000100', about: 'request:R-12' },
      },
    })
  })

  test('a form that is sent has its fields by name, the empty ones empty', () => {
    expect(parseInbound(sent)).toMatchObject({
      kind: 'submit',
      window: { action: 'request' },
      fields: { template: 'slc5', term: '30d', cpus: '' },
    })
  })

  test('a field that changes in a window asks for its price', () => {
    const changed = {
      ...click,
      container: { type: 'view' },
      view,
      actions: [{ action_id: 'value', block_id: 'field.term' }],
    }

    expect(parseInbound(changed)).toMatchObject({ kind: 'fill', view: 'V1' })
  })

  test.each([
    ['what another program says', happened({ ...message, bot_id: 'B1' })],
    ['an edit', happened({ ...message, subtype: 'message_changed' })],
    ['a message in a channel without a mention', happened({ ...message, channel_type: 'channel' })],
    [
      'a mention in a direct message, which comes as a message too',
      happened({ ...message, type: 'app_mention' }),
    ],
    ['a button of another app', { ...click, actions: [{ action_id: 'x', block_id: 'y' }] }],
    [
      'a button whose value is longer than ours',
      { ...click, actions: [{ ...click.actions[0], value: 'x'.repeat(201) }] },
    ],
    ['a window of another app', { ...sent, view: { ...view, private_metadata: '{}' } }],
    ['a user id that is none', { ...command, user_id: '<!channel>' }],
    ['a channel id that is none', { ...command, channel_id: '../x' }],
  ])('%s is nothing of ours', (_what, body) => {
    expect(parseInbound(body)).toBeUndefined()
  })
})

test('whatever comes in, reading it never throws', () => {
  const bodies = fc.oneof(fc.anything(), fc.constantFrom(command, click, sent, happened(message)))
  const known = fc.constantFrom('type', 'event', 'actions', 'view', 'container', 'user', 'text', 'trigger_id')

  fc.assert(
    fc.property(bodies, known, fc.anything(), (body, name, value) => {
      parseInbound(body)
      parseInbound(typeof body === 'object' && body !== null ? { ...body, [name]: value } : value)
    }),
    { numRuns: 2_000 },
  )
})

test('whatever an element, a block or a window is called, reading it never throws', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.json(), (action_id, block_id, metadata) => {
      parseInbound({ ...click, actions: [{ action_id, block_id, value: metadata }] })
      parseInbound({
        ...click,
        actions: [{ action_id: 'form.request.0', block_id: 'b.0-0.v1.', value: metadata }],
      })
      parseInbound({
        ...click,
        actions: [{ action_id: 'ask.deny.0', block_id: 'b.0-0.v1.', value: metadata }],
      })
      parseInbound({ ...sent, view: { ...view, private_metadata: metadata } })
    }),
    { numRuns: 1_000 },
  )
})
