import { z } from 'zod'

/** What Mattermost says, as far as it is read. Whatever else is there is left alone. */

/** Ids are 26 letters and digits. Nothing else ever becomes part of an address. */
export const Id = z.string().regex(/^[a-z0-9]{26}$/)

export const User = z.object({
  id: Id,
  username: z.string().max(64),
  email: z.string().max(300).catch(''),
  email_verified: z.boolean().catch(false),
  delete_at: z.number().catch(0),
  roles: z.string().catch(''),
  is_bot: z.boolean().catch(false),
  remote_id: z.string().nullable().catch(null),
  auth_service: z.string().catch(''),
  timezone: z.record(z.string(), z.string()).catch({}),
})
export type User = z.infer<typeof User>

export const Post = z.object({
  id: Id,
  user_id: Id,
  channel_id: Id,
  root_id: z.union([Id, z.literal('')]).catch(''),
  message: z.string().max(70_000),
  type: z.string().catch(''),
  create_at: z.number(),
  delete_at: z.number().catch(0),
  props: z.record(z.string(), z.unknown()).catch({}),
})
export type Post = z.infer<typeof Post>

export const Channel = z.object({
  id: Id,
  type: z.string(),
  name: z.string(),
  team_id: z.union([Id, z.literal('')]).catch(''),
  last_post_at: z.number().catch(0),
})
export type Channel = z.infer<typeof Channel>

export const Named = z.object({ id: Id, name: z.string() })

export const PostList = z.object({ order: z.array(Id), posts: z.record(z.string(), Post) })

export const Files = z.object({ file_infos: z.array(z.object({ id: Id })).min(1) })

/** `GET /config/client?format=old`: everything is text. */
export const ClientConfig = z.object({
  Version: z.string().catch(''),
  AsymmetricSigningPublicKey: z.string().catch(''),
  FeatureFlagMmBlocksEnabled: z.string().catch(''),
  EnableCommands: z.string().catch(''),
  EnableUserAccessTokens: z.string().catch(''),
  EnableBotAccountCreation: z.string().catch(''),
  SiteURL: z.string().catch(''),
})
export type ClientConfig = z.infer<typeof ClientConfig>

export const Command = z.object({
  id: Id,
  token: z.string(),
  team_id: Id,
  trigger: z.string(),
  method: z.string(),
  url: z.string(),
  auto_complete: z.boolean().catch(false),
  auto_complete_desc: z.string().catch(''),
  auto_complete_hint: z.string().catch(''),
  display_name: z.string().catch(''),
  description: z.string().catch(''),
  username: z.string().catch(''),
  delete_at: z.number().catch(0),
})
export type Command = z.infer<typeof Command>

export const Member = z.object({ user_id: Id })
