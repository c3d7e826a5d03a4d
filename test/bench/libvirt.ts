import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { setTimeout as pause } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import type { Hypervisor, MachineSpec } from '../../src/hypervisors/hypervisor.ts'
import { uuidOf } from '../../src/hypervisors/libvirt/naming.ts'
import { macOf } from '../../src/machines/adapter.ts'
import { cloudGuest } from '../hypervisors/cloud-guest.ts'
import { type Lab, labComponents, openLab, virshOf } from '../hypervisors/libvirt-lab.ts'
import { giveMachine } from '../stories/machine.ts'
import { openStorySite, type StorySite } from '../stories/site.ts'
import { numbers } from './fixtures.ts'
import { millisOf, type Row } from './measure.ts'

const run = promisify(execFile)
const rounds = 5
const patient = () => AbortSignal.timeout(120_000)

/** Machines on real QEMU (without KVM), against what `virsh` and `qemu-img` take for the same by hand. */
export async function libvirtRows(): Promise<Row[]> {
  const found = await labComponents()
  if (!found.available) return skipped(found.remedy)
  const lab = await openLab(1)
  try {
    return [await cloneRow(lab), await oneRow(lab), await tenRow(lab), ...(await reachableRows(lab))]
  } finally {
    await lab.close()
  }
}

function skipped(remedy: string): Row[] {
  process.stdout.write(`libvirt: left out, for want of programs: ${remedy}\n`)
  return []
}

/** The first stage: defining the machine and a disk of differences. */
async function cloneRow(lab: Lab): Promise<Row> {
  const hypervisor = lab.open()
  const [first = ''] = hypervisor.stages
  const template = lab.rule.templates['slc5']?.disk ?? ''
  const ratios: number[] = []
  for (const round of numbers(rounds)) {
    const plain = await millisOf(() => qemuImg(template, join(lab.exchange, `plain-${round}.qcow2`)))
    const ours = await millisOf(() => hypervisor.provision(aSpec(`vm-clone-${round}`), first, patient()))
    ratios.push(plain / ours)
  }
  await lab.clear()
  return {
    name: 'libvirt: a disk cloned, its machine defined',
    against: '`qemu-img create` alone',
    ratios,
    note: 'ours also looks whether it is there, for room, and writes down what it is',
  }
}

async function oneRow(lab: Lab): Promise<Row> {
  const hypervisor = lab.open()
  const ratios: number[] = []
  let stages = new Map<string, number>()
  for (const round of numbers(rounds)) {
    const plain = await millisOf(() => byHand(lab, round))
    stages = new Map()
    const ours = await millisOf(() => make(hypervisor, aSpec(`vm-one-${round}`), stages))
    ratios.push(plain / ours)
    await lab.clear()
  }
  const against = '`qemu-img create`, `virsh define`, `virsh start`'
  return { name: 'libvirt: a machine that runs', against, ratios, note: inWords(stages) }
}

async function tenRow(lab: Lab): Promise<Row> {
  const hypervisor = lab.open()
  const ratios: number[] = []
  let last = 0
  for (const round of numbers(rounds)) {
    const plain = await millisOf(() => Promise.all(numbers(10).map((n) => byHand(lab, round * 10 + n))))
    await lab.clear()
    last = await millisOf(() =>
      Promise.all(numbers(10).map((n) => make(hypervisor, aSpec(`vm-ten-${round}-${n}`)))),
    )
    ratios.push(plain / last)
    await lab.clear()
  }
  const against = 'ten times the same by hand, at once'
  const note = `${(last / 1000).toFixed(1)} s for all ten`
  return { name: 'libvirt: ten machines at once', against, ratios, note }
}

/** From the approval in the service until a Linux guest has its owner's account, against its start by hand. */
async function reachableRows(lab: Lab): Promise<Row[]> {
  const guest = await cloudGuest()
  if ('remedy' in guest) return skipped(guest.remedy)
  const { disk } = lab.rule.templates['slc5'] ?? { disk: '' }
  const boots = { ...guest, cmdline: 'console=ttyS0 panic=-1 quiet loglevel=0' }
  const rule = {
    ...lab.rule,
    shutdown: 'PT1M',
    templates: { slc5: { disk, machine: 'pc', agent: true, ...boots } },
  }
  const edit = (yaml: string) =>
    stringify({
      ...z.looseObject({}).parse(parse(yaml)),
      hypervisors: [rule],
      pools: [],
      terminals: [],
    })
  const site = await openStorySite({ live: true, edit })
  const ratios: number[] = []
  let note = ''
  for (const round of numbers(3)) {
    const ours = await millisOf(() => giveMachine(site, { name: `server${round}` }))
    const ref = (await machineOf(site, round)).ref
    note = await stagesOf(site, round)
    // The same machine again, started by hand.
    await virsh(lab, 'destroy', uuidOf(ref))
    const plain = await millisOf(() => started(lab, uuidOf(ref)))
    await virsh(lab, 'destroy', uuidOf(ref))
    ratios.push(plain / ours)
  }
  await site.close()
  const against = '`virsh start` until the same guest’s agent answers'
  return [{ name: 'libvirt: from request and approval to reachable', against, ratios, note }]
}

async function machineOf({ service: { store } }: StorySite, round: number) {
  const machine = await store.read((tx) => tx.machines.get(`server${round}`))
  if (machine === undefined) throw new Error(`server${round} was not made`)
  return machine
}

/** How long each stage of a machine's making took, from when its job was left behind by the approval. */
async function stagesOf({ service: { store } }: StorySite, round: number): Promise<string> {
  const jobs = await store.read((tx) => tx.jobs.all())
  const job = jobs.find(
    ({ kind, subject }) => kind === 'provision-machine' && subject === `machine:server${round}`,
  )
  if (job === undefined) throw new Error(`server${round} was made by no job`)
  const marks = job.stages.map(({ name, at }) => ({ name, at: Date.parse(at ?? '') }))
  const stages = marks.map(({ name, at }, index): [string, number] => [
    name,
    at - (marks[index - 1]?.at ?? Date.parse(job.createdAt)),
  ])
  return inWords(new Map(stages))
}

async function started(lab: Lab, uuid: string): Promise<void> {
  await virsh(lab, 'start', uuid)
  const ping = ['qemu-agent-command', uuid, '--cmd', '{"execute":"guest-ping"}']
  while (!(await virsh(lab, ...ping).catch(() => ''))) await pause(100)
}

async function make(
  hypervisor: Hypervisor,
  spec: MachineSpec,
  stages = new Map<string, number>(),
): Promise<void> {
  for (const stage of hypervisor.stages) {
    stages.set(stage, await millisOf(() => hypervisor.provision(spec, stage, patient())))
  }
}

async function byHand(lab: Lab, round: number): Promise<void> {
  const [disk, xml] = ['qcow2', 'xml'].map((ending) => join(lab.exchange, `plain-${round}.${ending}`))
  const uuid = randomUUID()
  await qemuImg(lab.rule.templates['slc5']?.disk ?? '', disk ?? '')
  await writeFile(xml ?? '', plainXml(uuid, disk ?? ''))
  await virsh(lab, 'define', xml ?? '')
  await virsh(lab, 'start', uuid)
}

function plainXml(uuid: string, disk: string): string {
  return `<domain type='qemu'><name>${uuid}</name><uuid>${uuid}</uuid><memory unit='MiB'>256</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features><devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/><source file='${disk}'/><target dev='vda' bus='virtio'/></disk>
<interface type='user'><model type='virtio'/></interface><serial type='pty'/><graphics type='vnc' port='-1' autoport='yes'/>
</devices></domain>`
}

function virsh(lab: Lab, ...words: string[]): Promise<string> {
  return virshOf(lab.daemons[0]?.uri ?? '', words)
}

function qemuImg(base: string, file: string): Promise<unknown> {
  return run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, file])
}

function aSpec(ref: string): MachineSpec {
  const what = { name: ref, host: 'hosta', template: 'slc5', os: 'linux', cpus: 1, memoryGb: 0.25 } as const
  return { ref, ...what, mac: macOf(ref), administrators: [{ user: 'alice', keys: [] }] }
}

function inWords(stages: ReadonlyMap<string, number>): string {
  return [...stages].map(([stage, millis]) => `${stage} ${(millis / 1000).toFixed(2)} s`).join(', ')
}
