import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { secretOf } from '../base/secret.ts'
import { DnsRule, dnsRegistrar } from './dns.ts'
import type { Registrar } from './registrar.ts'
import { webhookRegistrar, WebhookRule } from './webhook.ts'

/** Who has to know of machines before they first boot, as the site's file says. */
export const RegistrationRule = z.discriminatedUnion('kind', [DnsRule, WebhookRule])
export type RegistrationRule = z.infer<typeof RegistrationRule>

/** Opens each, in the order of the file. This is the only list of adapters. @throws Outage `secret_missing`. */
export async function openRegistrars(
  rules: readonly RegistrationRule[],
  { env, clock }: { env: Readonly<Record<string, string | undefined>>; clock: Clock },
): Promise<Registrar[]> {
  return Promise.all(
    rules.map(async (rule) =>
      rule.kind === 'dns'
        ? dnsRegistrar(rule, await secretOf(rule.key.secret, env))
        : webhookRegistrar(rule, await secretOf(rule.secret, env), clock),
    ),
  )
}
