import { type Instant, instant } from '../../base/clock.ts'
import { Outage } from '../../base/errors.ts'
import type { Power, Snapshot } from '../hypervisor.ts'

/** What `virsh` prints, read strictly: what is not known is an Outage, never a guess. */

/** `key:   value` lines, as `dominfo`, `nodeinfo` and `domjobinfo` print them. */
export function facts(printed: string): ReadonlyMap<string, string> {
  const rows = printed.split('\n').flatMap((line): [string, string][] => {
    const [, key, value] = /^([^:]+):\s*(.*)$/.exec(line) ?? []
    return key === undefined || value === undefined ? [] : [[key.trim(), value.trim()]]
  })
  return new Map(rows)
}

/** `key=value` lines, as `domstats` prints them. */
export function statistics(printed: string): ReadonlyMap<string, string> {
  const rows = printed.split('\n').flatMap((line): [string, string][] => {
    const [, key, value] = /^\s+([\w.-]+)=(.*)$/.exec(line) ?? []
    return key === undefined || value === undefined ? [] : [[key, value]]
  })
  return new Map(rows)
}

export function fact(known: ReadonlyMap<string, string>, key: string): string {
  const value = known.get(key)
  if (value === undefined) throw strange(`no ${key}`)
  return value
}

export function count(known: ReadonlyMap<string, string>, key: string): number {
  const [, digits] = /^(\d+)(?: KiB| MHz)?$/.exec(fact(known, key)) ?? []
  if (digits === undefined) throw strange(`a ${key} that is no number`)
  return Number(digits)
}

/** A number that need not be there. */
export function number(known: ReadonlyMap<string, string>, key: string): number | null {
  const value = known.get(key)
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : null
}

const powers: Readonly<Record<string, Power>> = {
  running: 'running',
  idle: 'running',
  'in shutdown': 'running',
  paused: 'paused',
  pmsuspended: 'paused',
  'shut off': 'stopped',
  crashed: 'stopped',
}

/** `domstate --reason`, such as `running (booted)`. "Saved" is no state of libvirt's: it is off, with a memory kept. */
export function power(printed: string, isSaved: boolean): Power {
  const [, state = ''] = /^([a-z ]+?)(?: \(.*\))?$/.exec(printed.trim()) ?? []
  const known = powers[state]
  if (known === undefined) throw strange(`a state "${printed.trim().slice(0, 60)}"`)
  return known === 'stopped' && isSaved ? 'saved' : known
}

export function yes(word: string): boolean {
  if (word !== 'yes' && word !== 'no') throw strange(`"${word}" for yes or no`)
  return word === 'yes'
}

/** `list --uuid --name`. */
export function domains(printed: string): { uuid: string; name: string }[] {
  return lines(printed).map((line) => {
    const [, uuid, name] = /^([0-9a-f-]{36}) +(\S.*)$/.exec(line.trim()) ?? []
    if (uuid === undefined || name === undefined) throw strange('a list of domains of another form')
    return { uuid, name }
  })
}

/** `snapshot-list`: name, time with its zone, state. */
export function snapshots(printed: string): Snapshot[] {
  return lines(printed)
    .filter((line) => !/^ Name +Creation Time|^-+$/.test(line))
    .map((line) => {
      const [, name, day, time, zone] =
        /^ (.+?) +(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d{4})(?: .*)?$/.exec(line) ?? []
      if (name === undefined || day === undefined || time === undefined || zone === undefined)
        throw strange('a list of snapshots of another form')
      return { name: name.trim(), takenAt: at(`${day}T${time}${zone.slice(0, 3)}:${zone.slice(3)}`) }
    })
}

function at(text: string): Instant {
  return instant(Date.parse(text))
}

/** `domifaddr`: the address of one of its adapters, IPv4 before IPv6, never one that only the host itself reaches. */
export function address(printed: string, mac: string): string | null {
  const rows = lines(printed).flatMap((line) => {
    const [, owner, protocol, text] = /^ \S+ +(\S+) +(ipv[46]) +([0-9a-f.:]+)\/\d+$/i.exec(line) ?? []
    return owner?.toLowerCase() === mac && text !== undefined ? [{ protocol, text }] : []
  })
  const reachable = rows.filter(({ text }) => !/^(127\.|169\.254\.|::1$|fe80:)/i.test(text))
  const first = reachable.find(({ protocol }) => protocol === 'ipv4') ?? reachable[0]
  return first?.text ?? null
}

export function lines(printed: string): string[] {
  return printed.split('\n').filter((line) => line.trim() !== '')
}

export function strange(what: string): Outage {
  return new Outage('hypervisor_refused', `libvirt answered with ${what}, which is not understood.`, {
    transient: false,
  })
}
