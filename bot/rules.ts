import { z } from 'zod'
import { AccountRule } from '../src/identity/account-rule.ts'

/** A channel of a platform, by its name or its id. */
const Channel = z
  .string()
  .min(1)
  .max(80)
  .transform((name) => name.replace(/^[#~]/, ''))

/** Slack, over its Socket Mode (nothing needs to reach us) or over HTTP at `/slack/events`. */
export const SlackRule = z.strictObject({
  mode: z.enum(['socket', 'http']).default('socket'),
  /** Where what everybody may know is announced. */
  channel: Channel.optional(),
})
export type SlackRule = z.infer<typeof SlackRule>

/** A Mattermost server and the team on it. Its callbacks come to the site's `publicUrl`. */
export const MattermostRule = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'the address of the server, such as https://chat.example.org' })
    .transform((url) => url.replace(/\/+$/, '')),
  team: z.string().regex(/^[a-z0-9-]{2,64}$/, "a team's name as it stands in addresses, such as servers"),
  channel: Channel.optional(),
})
export type MattermostRule = z.infer<typeof MattermostRule>

/** Which chats a site has. */
export const ChatRules = z.strictObject({
  web: z.boolean().default(true),
  slack: SlackRule.optional(),
  mattermost: MattermostRule.optional(),
  accounts: AccountRule.prefault({}),
})
export type ChatRules = z.infer<typeof ChatRules>
