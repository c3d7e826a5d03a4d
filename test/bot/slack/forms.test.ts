import { describe, expect, test, vi } from 'vitest'
import type { Card } from '../../../bot/card.ts'
import { card, field } from '../../../bot/cards/parts.ts'
import type { Conversation } from '../../../bot/conversation.ts'
import { openForms } from '../../../bot/slack/forms.ts'
import type { Inbound } from '../../../bot/slack/inbound.ts'
import { silentLog } from '../../../src/base/log.ts'
import { system } from '../../../src/identity/person.ts'

const listener = { caller: system(), account: 'U0ALICE', zone: 'Europe/Zurich' }
const window = { kind: 'form' as const, action: 'request', value: '', origin: { ephemeral: false } }
const sender = { user: 'U0ALICE', team: 'T0SITE' }

function formCard(term: string): Card {
  return card({
    summary: term,
    title: 'Request',
    tone: 'neutral',
    parts: [
      {
        kind: 'form',
        action: 'request',
        value: '',
        submit: 'Send',
        fields: [field({ name: 'term', label: 'Term' })],
      },
    ],
  })
}

/** Answers that wait until they are let go. */
function gated() {
  const waiting: (() => void)[] = []
  return {
    wait: () => new Promise<void>((resolve) => waiting.push(resolve)),
    open: () => waiting.shift()?.(),
  }
}

function rig(conversation: Partial<Conversation>, patience: () => Promise<void>) {
  const shown: string[] = []
  const works: Promise<unknown>[] = []
  const answers = {
    toLine: vi.fn(async () => undefined),
    toPress: vi.fn(async () => undefined),
    aside: vi.fn(async () => undefined),
  }
  const none = async (): Promise<Card[]> => []
  const forms = openForms({
    conversation: { say: none, press: none, submit: none, preview: none, ...conversation },
    answers,
    windows: {
      open: async () => 'V1',
      show: async (_id, view) => void shown.push(JSON.stringify(view)),
      publish: async () => undefined,
    },
    timing: { began: (work) => void works.push(work) },
    changed: () => undefined,
    patience,
    log: silentLog,
    version: () => 'v1',
  })
  return { forms, shown, works, answers }
}

const never = () => new Promise<void>(() => undefined)
const fill = (term: string): Extract<Inbound, { kind: 'fill' }> => ({
  ...{ kind: 'fill', sender, view: 'V1', window },
  fields: { term },
})
const sent: Extract<Inbound, { kind: 'submit' }> = {
  kind: 'submit',
  sender,
  view: 'V1',
  window,
  fields: { term: '30d' },
}

describe('the window of a form', () => {
  test('prices changes that come faster than they are priced once, as they last were', async () => {
    const gate = gated()
    const asked: string[] = []
    const preview: Conversation['preview'] = async (_caller, { fields }) => {
      asked.push(fields.term ?? '')
      await gate.wait()
      return [formCard(fields.term ?? '')]
    }
    const { forms, shown } = rig({ preview }, never)

    const first = forms.fill(fill('1d'), async () => listener)
    await vi.waitFor(() => expect(asked).toEqual(['1d']))
    const others = ['2d', '3d', '4d'].map((term) => forms.fill(fill(term), async () => listener))
    gate.open()
    await vi.waitFor(() => expect(asked).toEqual(['1d', '4d']))
    gate.open()
    await Promise.all([first, ...others])

    expect(asked).toEqual(['1d', '4d'])
    expect(shown.at(-1)).toContain('4d')
  })

  test('says that it is under way when its answer takes longer than Slack waits, and shows it when it comes', async () => {
    const gate = gated()
    const submit: Conversation['submit'] = async () => {
      await gate.wait()
      return [card({ summary: 'Asked.', title: 'R-1', tone: 'wait', about: 'request:R-1' })]
    }
    const { forms, shown, works, answers } = rig({ submit }, async () => undefined)

    const answer = await forms.submit(sent, async () => listener)
    gate.open()
    await vi.waitFor(() => expect(shown).toHaveLength(1))
    await Promise.all(works)

    expect(answer.response_action).toBe('update')
    expect(shown[0]).toContain('Done')
    expect(answers.toPress).toHaveBeenCalledOnce()
  })

  test('stays open with the refusal beside its first field when nothing was done', async () => {
    const submit: Conversation['submit'] = async () => [
      card({ summary: 'No host has room.', title: 'No', tone: 'bad' }),
    ]
    const { forms, answers } = rig({ submit }, never)

    const answer = await forms.submit(sent, async () => listener)

    expect(answer).toEqual({ response_action: 'errors', errors: { 'field.term': 'No host has room.' } })
    expect(answers.toPress).not.toHaveBeenCalled()
  })
})
