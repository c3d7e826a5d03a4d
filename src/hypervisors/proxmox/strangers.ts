import { VmConfig } from './answers.ts'
import type { ProxmoxClient } from './client.ts'
import { saidThat } from './failures.ts'

/**
 * The refs of machines that nobody made from here. Their number alone would not do: Proxmox VE gives the number of one
 * that was deleted to the next that is made, and whoever had claimed the former would have the latter. So a part of the
 * UUID that its firmware shows stands beside it.
 */
export interface Strangers {
  /** What a machine is called here; undefined when it has gone meanwhile. Known ones are not asked again. */
  refOf(
    machine: { node: string; vmid: number; name: string | undefined },
    signal: AbortSignal,
  ): Promise<string | undefined>
  /** The same, if it was asked before. */
  known(vmid: number): string | undefined
  /** Whether the machine of that number is still the one of that ref: asked anew. */
  isStill(ref: string, machine: { node: string; vmid: number }, signal: AbortSignal): Promise<boolean>
}

export function strangers(client: ProxmoxClient): Strangers {
  const seen = new Map<number, { name: string | undefined; ref: string }>()

  async function ask(node: string, vmid: number, signal: AbortSignal): Promise<string | undefined> {
    try {
      const { smbios1 = '' } = await client.get(`/nodes/${node}/qemu/${vmid}/config`, VmConfig, signal)
      return strangerRef(vmid, /uuid=([0-9a-f]{8})/i.exec(smbios1)?.[1]?.toLowerCase())
    } catch (error) {
      if (saidThat(error, /^Configuration file '.*' does not exist/)) return undefined
      throw error
    }
  }

  return {
    async refOf({ node, vmid, name }, signal) {
      const before = seen.get(vmid)
      if (before?.name === name && before !== undefined) return before.ref
      const ref = await ask(node, vmid, signal)
      if (ref === undefined) seen.delete(vmid)
      else seen.set(vmid, { name, ref })
      return ref
    },
    known: (vmid) => seen.get(vmid)?.ref,
    isStill: async (ref, { node, vmid }, signal) => (await ask(node, vmid, signal)) === ref,
  }
}

function strangerRef(vmid: number, uuid: string | undefined): string {
  return uuid === undefined ? `vmid-${vmid}` : `vmid-${vmid}-${uuid}`
}

export function vmidOfStranger(ref: string): number | undefined {
  const digits = /^vmid-([1-9]\d{2,8})(-[0-9a-f]{8})?$/.exec(ref)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
