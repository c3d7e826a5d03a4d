import { z } from 'zod'

/**
 * How a site finds out whose a chat account is. A link that somebody confirmed after signing in always counts; so does
 * what the site's own directory says. What the platform says counts only where the site allows it.
 */
export const AccountRule = z.strictObject({
  /** Whether the platform takes its people from our directory, so that the name that it gives can be believed. */
  directory: z.boolean().default(false),
  /** Domains in which an e-mail address that the platform has verified is proof enough. */
  email: z
    .array(
      z
        .string()
        .regex(/^[a-z0-9.-]{1,253}$/i, 'a domain, such as example.org')
        .transform((domain) => domain.toLowerCase()),
    )
    .default([]),
})
export type AccountRule = z.infer<typeof AccountRule>

/** Whether the site believes an e-mail address of the platform's. */
export function isTrusted(email: string, { email: domains }: AccountRule): boolean {
  return domains.includes(email.slice(email.lastIndexOf('@') + 1).toLowerCase())
}
