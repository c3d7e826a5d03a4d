import { z } from 'zod'

/**
 * What the bot says, without regard to the platform. All text is plain: a renderer escapes it, so that nothing people
 * typed can mention a channel, forge a link or break a card. Limits are the tightest of Slack's and Mattermost's.
 */
const Text = z.string().min(1).max(2000)

/** A button. `action` is one of the bot's actions, `value` the id it is about. */
export const Button = z.strictObject({
  label: z.string().min(1).max(40),
  action: z.string().regex(/^[a-z-]{1,40}$/),
  value: z.string().max(200),
  style: z.enum(['plain', 'primary', 'danger']).default('plain'),
  /** What a screen reader says: the whole deed, such as "Approve request R-12 for 30.00 CHF". */
  spoken: z.string().max(75),
  /** Asked before it is done, when it cannot be undone. */
  confirm: z
    .strictObject({ title: z.string().max(100), text: z.string().max(300), yes: z.string().max(30) })
    .optional(),
  /** A sentence to be typed first, such as the reason for a denial. */
  ask: z.strictObject({ label: z.string().max(100), required: z.boolean() }).optional(),
})
export type Button = z.infer<typeof Button>

/** A field of a form that opens when pieces are missing. */
export const Field = z.strictObject({
  name: z.string().regex(/^[a-z]{1,20}$/),
  label: z.string().max(40),
  kind: z.enum(['text', 'choice', 'number']),
  value: z.string().max(300).default(''),
  choices: z.array(z.strictObject({ value: z.string(), label: z.string().max(75) })).default([]),
  hint: z.string().max(150).optional(),
  required: z.boolean().default(false),
  error: z.string().max(300).optional(),
})
export type Field = z.infer<typeof Field>

export const Part = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('text'), text: Text }),
  z.strictObject({
    kind: z.literal('facts'),
    rows: z.array(z.strictObject({ name: z.string().max(40), value: Text })).max(20),
  }),
  z.strictObject({
    kind: z.literal('table'),
    caption: z.string().max(100),
    columns: z.array(z.string().max(40)).max(10),
    rows: z.array(z.array(z.string().max(200))).max(100),
  }),
  z.strictObject({
    kind: z.literal('progress'),
    label: z.string().max(100),
    stages: z.array(
      z.strictObject({ name: z.string(), state: z.enum(['waiting', 'running', 'done', 'failed']) }),
    ),
  }),
  z.strictObject({ kind: z.literal('code'), text: Text }),
  // Amounts by month as data: each platform draws it as it can, as SVG, as a picture with `alt`, or in letters.
  z.strictObject({
    kind: z.literal('chart'),
    alt: Text,
    unit: z.string().max(10),
    series: z.array(z.string().max(63)).max(10),
    bars: z
      .array(
        z.strictObject({
          month: z.string().max(7),
          facts: z.array(z.number().int()).max(10),
          forecasts: z.array(z.number().int()).max(10),
        }),
      )
      .max(48),
  }),
  z.strictObject({ kind: z.literal('link'), label: z.string().max(75), url: z.url() }),
  z.strictObject({ kind: z.literal('buttons'), buttons: z.array(Button).max(20) }),
  z.strictObject({
    kind: z.literal('form'),
    action: z.string(),
    value: z.string(),
    submit: z.string().max(24),
    fields: z.array(Field).max(12),
  }),
])
export type Part = z.infer<typeof Part>

export const Card = z.strictObject({
  /** One whole sentence that says it all: the notification, the fallback, the screen reader's first line. */
  summary: z.string().min(1).max(300),
  title: z.string().min(1).max(100),
  tone: z.enum(['neutral', 'good', 'wait', 'warn', 'bad']),
  parts: z.array(Part).max(20),
  /** What the card is about, as `request:R-12`, so that copies can be found again. */
  about: z.string().max(100).optional(),
})
export type Card = z.infer<typeof Card>
