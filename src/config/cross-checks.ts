import { isIPv4 } from 'node:net'
import { parseDuration, roughMillis } from '../base/duration.ts'
import { hasControl } from '../base/text.ts'
import type { Path, Problem } from './faults.ts'
import type { Sketch } from './sketch.ts'
import { tariffProblems } from './tariff-checks.ts'

/** What no single value shows: sizes, times and prices that contradict one another, and passwords in the open. */
export function contradictions(site: Sketch): Problem[] {
  return [
    ...passwordProblems(site),
    ...site.templates.flatMap(({ cpus, memoryGb, diskGb }, index) => [
      ...above(['templates', index, 'cpus', 'default'], cpus.default, cpus.max, 'max'),
      ...above(['templates', index, 'memoryGb', 'default'], memoryGb.default, memoryGb.max, 'max'),
      ...above(['templates', index, 'diskGb', 'default'], diskGb.default, diskGb.max, 'max'),
    ]),
    ...site.pools.flatMap(({ size, lease }, index) => [
      ...above(['pools', index, 'size', 'spare'], size.spare, size.max, 'max'),
      ...above(['pools', index, 'size', 'saved'], size.saved, size.max, 'max'),
      ...longer(['pools', index, 'lease', 'warn'], lease.warn, lease.max, 'max'),
      ...notPositive(['pools', index, 'lease', 'max'], lease.max),
    ]),
    ...tariffProblems(site),
    ...reminderProblems(site.policies.machines.reminders),
    ...notPositive(['policies', 'machines', 'maxTerm'], site.policies.machines.maxTerm),
    ...site.groups.flatMap(({ maxTerm, term }, index) => [
      ...notPositive(['groups', index, 'maxTerm'], maxTerm),
      ...notPositive(['groups', index, 'term'], term),
    ]),
    ...notPositive(['policies', 'approvals', 'expire'], site.policies.approvals.expire),
    // Each reminder waits twice as long as the one before: from nothing, that would never get anywhere.
    ...notPositive(['policies', 'approvals', 'remindAfter'], site.policies.approvals.remindAfter),
  ]
}

/** Control characters anywhere in the file: they would end a line in an RDP file, a card or a log. */
export function controlProblems(value: unknown, path: Path = []): Problem[] {
  if (typeof value === 'string') {
    if (!hasControl(value)) return []
    return [
      { path, wrong: 'holds a line end or another control character', right: 'should be one line of text' },
    ]
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => controlProblems(item, [...path, index]))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => controlProblems(item, [...path, key]))
}

/** Whether only this machine can reach a listener on that host. */
export function isLoopback(host: string): boolean {
  return (isIPv4(host) && host.startsWith('127.')) || host === '::1' || host.toLowerCase() === 'localhost'
}

function passwordProblems(site: Sketch): Problem[] {
  const { host } = site.http
  const isOpen = host !== undefined && !isLoopback(host)
  return site.identity.local.flatMap(({ password, passwordHash }, index) => {
    const path = ['identity', 'local', index]
    if (password !== undefined && isOpen) {
      return [
        {
          path: [...path, 'password'],
          wrong: `is readable in the file, and http.host ${host} is not a loopback address`,
          right: 'should be passwordHash, as made by: npm run jackdaw -- hash',
        },
      ]
    }
    if (password !== undefined && passwordHash !== undefined) {
      return [
        { path: [...path, 'passwordHash'], wrong: 'stands beside password', right: 'one of them is enough' },
      ]
    }
    if (password !== undefined || passwordHash !== undefined) return []
    return [
      {
        path: [...path, 'passwordHash'],
        wrong: 'is missing',
        right: 'should be what this makes: npm run jackdaw -- hash',
      },
    ]
  })
}

function reminderProblems(reminders: readonly string[]): Problem[] {
  const path = ['policies', 'machines', 'reminders']
  return reminders.flatMap((text, index) => {
    const [own, before] = [rough(text), rough(reminders[index - 1])]
    if (own === undefined) return []
    if (own <= 0) return notPositive([...path, index], text)
    if (before === undefined || own < before) return []
    return [
      {
        path: [...path, index],
        wrong: `is ${text}, not shorter than the one before it`,
        right: 'should stand with the longest first',
      },
    ]
  })
}

function above(path: Path, value: number | undefined, limit: number | undefined, of: string): Problem[] {
  if (value === undefined || limit === undefined || value <= limit) return []
  return [{ path, wrong: `is ${value}, more than ${of}`, right: `should be at most ${limit}` }]
}

function longer(path: Path, text: string | undefined, limitText: string | undefined, of: string): Problem[] {
  const [own, limit] = [rough(text), rough(limitText)]
  if (own === undefined || limit === undefined || own < limit) return []
  return [
    {
      path,
      wrong: `is ${text ?? ''}, not shorter than ${of}`,
      right: `should be less than ${limitText ?? ''}`,
    },
  ]
}

function notPositive(path: Path, text: string | undefined): Problem[] {
  const own = rough(text)
  if (own === undefined || own > 0) return []
  return [{ path, wrong: `is ${text ?? ''}`, right: 'should be more than nothing' }]
}

function rough(text: string | undefined): number | undefined {
  const parsed = text === undefined ? undefined : parseDuration(text)
  return parsed === undefined ? undefined : roughMillis(parsed)
}
