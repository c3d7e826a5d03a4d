/**
 * The calls of the API that the fake knows, with their parameters and the privileges that they want, as the published
 * API viewer of Proxmox VE 9 tells them. A kind ends with `!` where the parameter is not optional. Path parameters are
 * checked by the paths.
 */
export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  params: Readonly<Record<string, string>>
  /** Privileges on the machine (`vm`), on its node (`node`), or none that are checked here. */
  needs: readonly string[]
}

const vm = '/nodes/{node}/qemu/{vmid}'

const drive = 'text'
/** Options of a machine: names may end in a number where `[n]` stands. */
export const vmOptions: Readonly<Record<string, string>> = {
  agent: 'text',
  balloon: 'whole',
  boot: 'text',
  bootdisk: 'text',
  cicustom: 'text',
  cipassword: 'text',
  citype: 'text',
  ciupgrade: 'flag',
  ciuser: 'text',
  cores: 'whole',
  cpu: 'text',
  description: 'text',
  'ide[n]': drive,
  'ipconfig[n]': 'text',
  machine: 'text',
  memory: 'text',
  name: 'dns-name',
  nameserver: 'text',
  'net[n]': 'text',
  onboot: 'flag',
  ostype: 'one of other wxp w2k w2k3 w2k8 wvista win7 win8 win10 win11 l24 l26 solaris',
  protection: 'flag',
  'sata[n]': drive,
  'scsi[n]': drive,
  scsihw: 'one of lsi lsi53c810 virtio-scsi-pci virtio-scsi-single megasas pvscsi',
  'serial[n]': 'serial',
  sockets: 'whole',
  sshkeys: 'urlencoded',
  tags: 'tags',
  vga: 'text',
  'virtio[n]': drive,
}

const snapname = 'configid!'

export const calls: readonly Call[] = [
  { method: 'GET', path: '/nodes', params: {}, needs: [] },
  { method: 'GET', path: '/nodes/{node}/status', params: {}, needs: ['node Sys.Audit'] },
  {
    method: 'GET',
    path: '/nodes/{node}/storage',
    params: { content: 'text', enabled: 'flag', format: 'flag', storage: 'text', target: 'text' },
    needs: [],
  },
  { method: 'GET', path: '/cluster/resources', params: { type: 'one of vm storage node sdn' }, needs: [] },
  { method: 'GET', path: '/cluster/nextid', params: { vmid: 'vmid' }, needs: [] },
  { method: 'GET', path: '/cluster/tasks', params: {}, needs: [] },
  { method: 'GET', path: '/nodes/{node}/tasks/{upid}/status', params: {}, needs: [] },
  {
    method: 'GET',
    path: '/nodes/{node}/tasks/{upid}/log',
    params: { download: 'flag', limit: 'whole', start: 'whole' },
    needs: [],
  },
  { method: 'DELETE', path: '/nodes/{node}/tasks/{upid}', params: {}, needs: [] },
  { method: 'GET', path: '/nodes/{node}/qemu', params: { full: 'flag' }, needs: [] },
  {
    method: 'POST',
    path: '/nodes/{node}/qemu',
    params: { ...vmOptions, vmid: 'vmid!', pool: 'text', storage: 'text', start: 'flag', force: 'flag' },
    needs: ['new VM.Allocate'],
  },
  {
    method: 'GET',
    path: `${vm}/config`,
    params: { current: 'flag', snapshot: 'configid' },
    needs: ['vm VM.Audit'],
  },
  {
    method: 'PUT',
    path: `${vm}/config`,
    params: { ...vmOptions, delete: 'text', revert: 'text', digest: 'text', force: 'flag', skiplock: 'flag' },
    needs: [],
  },
  {
    method: 'POST',
    path: `${vm}/config`,
    params: {
      ...vmOptions,
      delete: 'text',
      revert: 'text',
      digest: 'text',
      background_delay: 'whole',
      skiplock: 'flag',
    },
    needs: [],
  },
  { method: 'GET', path: `${vm}/pending`, params: {}, needs: ['vm VM.Audit'] },
  {
    method: 'DELETE',
    path: vm,
    params: { 'destroy-unreferenced-disks': 'flag', purge: 'flag', skiplock: 'flag' },
    needs: ['vm VM.Allocate'],
  },
  {
    method: 'POST',
    path: `${vm}/clone`,
    params: {
      newid: 'vmid!',
      bwlimit: 'whole',
      description: 'text',
      format: 'one of raw qcow2 vmdk',
      full: 'flag',
      name: 'dns-name',
      pool: 'text',
      snapname: 'configid',
      storage: 'text',
      target: 'node',
    },
    needs: ['vm VM.Clone', 'new VM.Allocate'],
  },
  { method: 'GET', path: `${vm}/status/current`, params: {}, needs: ['vm VM.Audit'] },
  {
    method: 'POST',
    path: `${vm}/status/start`,
    params: { 'force-cpu': 'text', machine: 'text', skiplock: 'flag', timeout: 'whole' },
    needs: ['vm VM.PowerMgmt'],
  },
  {
    method: 'POST',
    path: `${vm}/status/stop`,
    params: { keepActive: 'flag', 'overrule-shutdown': 'flag', skiplock: 'flag', timeout: 'whole' },
    needs: ['vm VM.PowerMgmt'],
  },
  {
    method: 'POST',
    path: `${vm}/status/shutdown`,
    params: { forceStop: 'flag', keepActive: 'flag', skiplock: 'flag', timeout: 'whole' },
    needs: ['vm VM.PowerMgmt'],
  },
  { method: 'POST', path: `${vm}/status/reset`, params: { skiplock: 'flag' }, needs: ['vm VM.PowerMgmt'] },
  {
    method: 'POST',
    path: `${vm}/status/suspend`,
    params: { skiplock: 'flag', statestorage: 'text', todisk: 'flag' },
    needs: ['vm VM.PowerMgmt'],
  },
  {
    method: 'POST',
    path: `${vm}/status/resume`,
    params: { nocheck: 'flag', skiplock: 'flag' },
    needs: ['vm VM.PowerMgmt'],
  },
  { method: 'GET', path: `${vm}/snapshot`, params: {}, needs: ['vm VM.Audit'] },
  {
    method: 'POST',
    path: `${vm}/snapshot`,
    params: { snapname, description: 'text', vmstate: 'flag' },
    needs: ['vm VM.Snapshot'],
  },
  {
    method: 'DELETE',
    path: `${vm}/snapshot/{snapname}`,
    params: { force: 'flag' },
    needs: ['vm VM.Snapshot'],
  },
  {
    method: 'POST',
    path: `${vm}/snapshot/{snapname}/rollback`,
    params: { start: 'flag' },
    needs: ['vm VM.Snapshot'],
  },
  { method: 'POST', path: `${vm}/template`, params: { disk: 'text' }, needs: ['vm VM.Allocate'] },
  { method: 'GET', path: `${vm}/migrate`, params: { target: 'node' }, needs: ['vm VM.Migrate'] },
  {
    method: 'POST',
    path: `${vm}/migrate`,
    params: {
      target: 'node!',
      bwlimit: 'whole',
      force: 'flag',
      online: 'flag',
      targetstorage: 'text',
      'with-local-disks': 'flag',
    },
    needs: ['vm VM.Migrate'],
  },
  {
    method: 'POST',
    path: `${vm}/vncproxy`,
    params: { 'generate-password': 'flag', websocket: 'flag' },
    needs: ['vm VM.Console'],
  },
  {
    method: 'POST',
    path: `${vm}/termproxy`,
    params: { serial: 'one of serial0 serial1 serial2 serial3' },
    needs: ['vm VM.Console'],
  },
  { method: 'POST', path: `${vm}/agent/ping`, params: {}, needs: ['vm VM.GuestAgent.Audit'] },
  {
    method: 'GET',
    path: `${vm}/agent/network-get-interfaces`,
    params: {},
    needs: ['vm VM.GuestAgent.Audit'],
  },
]

const kinds: Readonly<Record<string, { is: RegExp; wrong: string }>> = {
  text: { is: /^[^]*$/, wrong: '' },
  flag: { is: /^(0|1|true|false|on|off|yes|no)$/i, wrong: "type check ('boolean') failed" },
  whole: { is: /^\d+$/, wrong: "type check ('integer') failed" },
  vmid: { is: /^[1-9]\d{2,8}$/, wrong: 'invalid format - value does not look like a valid VM ID' },
  node: {
    is: /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i,
    wrong: 'invalid format - value does not look like a valid node name',
  },
  'dns-name': {
    is: /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i,
    wrong: 'invalid format - value does not look like a valid DNS name',
  },
  configid: { is: /^[a-z][a-z0-9_-]{1,39}$/i, wrong: 'invalid format - invalid configuration ID' },
  urlencoded: { is: /^[-%a-zA-Z0-9_.!~*'()]*$/, wrong: 'invalid format - invalid urlencoded string' },
  tags: { is: /^([a-z0-9_][a-z0-9_\-+.]*[;, ]?)*$/i, wrong: 'invalid format - invalid characters in tag' },
  serial: { is: /^(\/dev\/.+|socket)$/, wrong: 'value does not match the regex pattern' },
}

/** Faults by parameter: unknown, missing, of the wrong kind. */
export function faultsOf(call: Call, given: ReadonlyMap<string, string>): Record<string, string> {
  const faults: Record<string, string> = {}
  for (const [name, value] of given) {
    const kind = call.params[name] ?? call.params[name.replace(/\d+$/, '[n]')]
    const wrong = kind === undefined ? unknownParameter : wrongIn(kind.replace('!', ''), value)
    if (wrong !== undefined) faults[name] = wrong
  }
  for (const [name, kind] of Object.entries(call.params)) {
    if (kind.endsWith('!') && !given.has(name)) faults[name] = 'property is missing and it is not optional'
  }
  return faults
}

const unknownParameter =
  'property is not defined in schema and the schema does not allow additional properties'

function wrongIn(kind: string, value: string): string | undefined {
  if (kind.startsWith('one of ')) {
    const words = kind.slice('one of '.length).split(' ')
    return words.includes(value)
      ? undefined
      : `value '${value}' does not have a value in the enumeration '${words.join(', ')}'`
  }
  const rule = kinds[kind]
  return rule?.is.test(value) === true ? undefined : (rule?.wrong ?? `unknown kind ${kind}`)
}

/** The privilege that a change of an option wants. */
export function privilegeFor(option: string, value: string): string | undefined {
  const name = option.replace(/\d+$/, '[n]')
  if (['cores', 'sockets', 'cpu'].includes(name)) return 'VM.Config.CPU'
  if (['memory', 'balloon'].includes(name)) return 'VM.Config.Memory'
  if (name === 'net[n]') return 'VM.Config.Network'
  if (/^(ci|sshkeys|nameserver|ipconfig)/.test(name)) return 'VM.Config.Cloudinit'
  if (['scsihw', 'machine', 'vga', 'serial[n]'].includes(name)) return 'VM.Config.HWType'
  if (['boot', 'bootdisk', 'vmstate'].includes(name)) return 'VM.Config.Disk'
  if (/^(ide|sata|scsi|virtio)\[n\]$/.test(name))
    return /media=cdrom/.test(value) ? 'VM.Config.CDROM' : 'VM.Config.Disk'
  return 'VM.Config.Options'
}
