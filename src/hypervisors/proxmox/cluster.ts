import { hostUnreachable, machineMissing, refused } from '../outages.ts'
import { FreeId, Nodes, Resources, type Resource, VmConfig, VmList, VmStatus } from './answers.ts'
import type { Params, ProxmoxClient } from './client.ts'
import { saidThat } from './failures.ts'
import { goneTag, namedIn, type Note, noteIn, refOfWorkingName, tagsIn, workingName } from './note.ts'
import type { ProxmoxRule } from './rule.ts'
import { type Strangers, strangers, vmidOfStranger } from './strangers.ts'
import { run, type Sleep } from './task.ts'

/** Where a machine is. */
export interface Place {
  ref: string
  node: string
  vmid: number
  tags: readonly string[]
}

export interface Image extends Place {
  /** Removed by us, and kept by the hypervisor since machines stand on its disk. */
  isGone: boolean
}

/** The cluster: what is where in it, asked anew each time. */
export interface Cluster {
  readonly rule: ProxmoxRule
  readonly client: ProxmoxClient
  readonly sleep: Sleep
  readonly others: Strangers
  /** Whether each node that the cluster has is up. */
  nodes(signal: AbortSignal): Promise<Map<string, { isUp: boolean; cpus: number; memoryGb: number }>>
  resources(signal: AbortSignal): Promise<Resource[]>
  /** The machine of a ref, if there is one; `isUp` says whether its node answers. */
  find(ref: string, signal: AbortSignal): Promise<(Place & { isUp: boolean }) | undefined>
  /** @throws Outage `machine_missing`, or `host_unreachable` when its node is down. */
  machine(ref: string, signal: AbortSignal): Promise<Place>
  /** What was begun and does not bear our tags yet. */
  begun(kind: 'machine' | 'image' | 'export', ref: string, signal: AbortSignal): Promise<Place[]>
  images(signal: AbortSignal): Promise<Image[]>
  status(place: Place, signal: AbortSignal): Promise<VmStatus>
  config(place: Place, signal: AbortSignal): Promise<VmConfig>
  /** Its configuration and what we have written down, of a machine of ours. @throws Outage where that is gone. */
  noted(place: Place, signal: AbortSignal): Promise<{ config: VmConfig; note: Note }>
  /** Starts a task on a machine (`status/start`, say) and waits for its end. */
  act(
    place: Place,
    verb: string,
    signal: AbortSignal,
    params?: Params,
    heard?: (line: string) => void,
  ): Promise<void>
  /** Deletes what a path names, and waits for its end. */
  erase(path: string, ref: string, signal: AbortSignal, params?: Params): Promise<void>
  /** Has something made under a free number. Somebody else may take that meanwhile, and then it is tried with another. */
  withFreeId(signal: AbortSignal, make: (vmid: number) => Promise<void>): Promise<number>
}

const mostTries = 8
const taken = /config file already exists|VM \d+ already exists|already exists on node/

export function cluster(tools: { rule: ProxmoxRule; client: ProxmoxClient; sleep: Sleep }): Cluster {
  const { client } = tools
  const others = strangers(client)

  async function nodes(signal: AbortSignal) {
    const all = await client.get('/nodes', Nodes, signal)
    return new Map(
      all.map(({ node, status, maxcpu = 0, maxmem = 0 }) => [
        node,
        { isUp: status === 'online', cpus: maxcpu, memoryGb: Math.floor(maxmem / 2 ** 30) },
      ]),
    )
  }

  async function resources(signal: AbortSignal): Promise<Resource[]> {
    const all = await client.get('/cluster/resources', Resources, signal, { type: 'vm' })
    return all.filter(({ type }) => type === 'qemu')
  }

  async function find(ref: string, signal: AbortSignal) {
    const [all, up] = await Promise.all([resources(signal), nodes(signal)])
    const vmid = vmidOfStranger(ref)
    const row = all.find((one) =>
      vmid === undefined ? namedIn('ref', tagsIn(one.tags), one.vmid) === ref : one.vmid === vmid,
    )
    if (row === undefined) return undefined
    const isUp = up.get(row.node)?.isUp === true
    if (vmid !== undefined && isUp && !(await others.isStill(ref, row, signal))) return undefined
    return { ...placeOf(row, ref), isUp }
  }

  async function begun(kind: 'machine' | 'image' | 'export', ref: string, signal: AbortSignal) {
    const up = [...(await nodes(signal))].filter(([, { isUp }]) => isUp).map(([node]) => node)
    const lists = await Promise.all(up.map((node) => listOf(client, node, signal)))
    const name = workingName(kind, ref)
    return lists
      .flat()
      .filter((row) => row.name === name)
      .map((row) => ({ ...row, ref }))
  }

  // A number is taken only once the task runs; ten machines made at once would all be given the same.
  const given = new Set<number>()
  async function freeId(signal: AbortSignal): Promise<number> {
    let vmid = await client.get('/cluster/nextid', FreeId, signal)
    if (claim(vmid)) return vmid
    for (;;) {
      vmid += 1
      if (!claim(vmid)) continue
      if (await isFree(vmid, signal)) return vmid
      given.delete(vmid)
    }
  }

  function claim(vmid: number): boolean {
    if (given.has(vmid)) return false
    given.add(vmid)
    return true
  }

  async function isFree(vmid: number, signal: AbortSignal): Promise<boolean> {
    try {
      await client.get('/cluster/nextid', FreeId, signal, { vmid })
      return true
    } catch (error) {
      if (saidThat(error, taken)) return false
      given.delete(vmid)
      throw error
    }
  }

  const at = ({ node, vmid }: Place) => `/nodes/${node}/qemu/${vmid}`
  const config = (place: Place, signal: AbortSignal) => client.get(`${at(place)}/config`, VmConfig, signal)

  return {
    ...tools,
    others,
    nodes,
    resources,
    find,
    begun,
    config,
    async machine(ref, signal) {
      const found = await find(ref, signal)
      if (found === undefined) throw machineMissing(ref)
      if (!found.isUp) throw hostUnreachable(found.node)
      return found
    },
    async images(signal) {
      const all = await resources(signal)
      return all.flatMap((row) => {
        const tags = tagsIn(row.tags)
        const ref = namedIn('image', tags, row.vmid)
        return ref === undefined ? [] : [{ ...placeOf(row, ref), isGone: tags.includes(goneTag) }]
      })
    },
    status: (place, signal) => client.get(`${at(place)}/status/current`, VmStatus, signal),
    async noted(place, signal) {
      const known = await config(place, signal)
      const note = noteIn(known.description)
      if (note === undefined)
        throw refused(`${place.ref} (${place.vmid}) was not made by Jackdaw, or its notes have been changed.`)
      return { config: known, note }
    },
    act: (place, verb, signal, params, heard) =>
      run(
        tools,
        { method: 'post', path: `${at(place)}/${verb}`, ...(params === undefined ? {} : { params }) },
        place.ref,
        signal,
        heard,
      ),
    erase: (path, ref, signal, params) =>
      run(tools, { method: 'delete', path, ...(params === undefined ? {} : { params }) }, ref, signal),
    async withFreeId(signal, make) {
      for (let tries = 1; ; tries++) {
        const vmid = await freeId(signal)
        try {
          await make(vmid)
          return vmid
        } catch (error) {
          if (tries >= mostTries || !saidThat(error, taken)) throw error
          await tools.sleep(50 * tries, signal)
        } finally {
          given.delete(vmid)
        }
      }
    },
  }
}

function placeOf({ node, vmid, tags }: Resource, ref: string): Place {
  return { ref, node, vmid, tags: tagsIn(tags) }
}

interface Listed extends Omit<Place, 'ref'> {
  /** Undefined of machines that are not ours. */
  ref: string | undefined
  name: string | undefined
  status: VmStatus
}

/** The machines on a node as they are now. */
export async function listOf(client: ProxmoxClient, node: string, signal: AbortSignal): Promise<Listed[]> {
  const rows = await client.get(`/nodes/${node}/qemu`, VmList, signal, { full: true })
  return rows.map((status) => {
    const tags = tagsIn(status.tags)
    const ref = namedIn('ref', tags, status.vmid) ?? refOfWorkingName(status.name)
    return { ref, node, vmid: status.vmid, tags, name: status.name, status }
  })
}
