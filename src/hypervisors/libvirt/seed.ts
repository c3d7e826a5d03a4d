import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { element, escapeXml } from '../../base/xml.ts'
import { hasControl } from '../../base/text.ts'
import type { Administrator, MachineSpec } from '../hypervisor.ts'
import { hypervisorUnreachable, refused } from '../outages.ts'
import { NoAnswer, run } from './command.ts'
import { whole } from './disks.ts'
import type { LibvirtTemplate } from './rule.ts'

/** How the guest of a template is told its name and its people. */
export function seedKind(
  template: LibvirtTemplate | undefined,
  { os }: Pick<MachineSpec, 'os'>,
): 'nocloud' | 'unattend' | 'none' {
  if (template === undefined) return 'none'
  const usual = { linux: 'nocloud', windows: 'unattend', other: 'none' } as const
  return template.seed ?? usual[os]
}

/**
 * Writes the disc that a guest reads at its first boot: cloud-init's NoCloud (a volume called CIDATA), or the answer file
 * that Windows looks for in the root of every disc.
 */
export async function writeSeed(
  { template, spec, file }: { template: LibvirtTemplate | undefined; spec: MachineSpec; file: string },
  signal: AbortSignal,
): Promise<void> {
  const kind = seedKind(template, spec)
  if (kind === 'none') return
  const texts = kind === 'nocloud' ? cloudFiles(spec) : await answerFiles(spec, template)
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-seed-'))
  try {
    for (const [name, text] of Object.entries(texts)) {
      await writeFile(join(folder, name), text, { mode: 0o600 })
    }
    await whole(file, (draft) => writeDisc(folder, draft, signal))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function writeDisc(folder: string, file: string, signal: AbortSignal): Promise<void> {
  const words = ['-as', 'mkisofs', '-quiet', '-V', 'CIDATA', '-J', '-r', '-o', file, folder]
  try {
    const { code, stderr } = await run('xorriso', words, { signal, deadlineMillis: 60_000 })
    if (code === 0) return
    const lines = stderr.split('\n').filter((line) => /FATAL|FAILURE/.test(line))
    throw refused(`xorriso refused: ${lines[0]?.slice(0, 200) ?? 'no reason given'}.`)
  } catch (error) {
    if (error instanceof NoAnswer) throw hypervisorUnreachable('xorriso', error)
    throw error
  }
}

/** JSON is YAML too, and has no way to be read as something else than was meant (YAML 1.2 §1.3). */
export function cloudFiles(
  spec: Pick<MachineSpec, 'ref' | 'name' | 'administrators'>,
): Record<string, string> {
  const users = spec.administrators.map(({ user, keys }) => ({
    name: account(user),
    gecos: user,
    shell: '/bin/bash',
    sudo: 'ALL=(ALL) NOPASSWD:ALL',
    lock_passwd: true,
    ssh_authorized_keys: keys.map(key),
  }))
  const userData = { hostname: spec.name, manage_etc_hosts: true, users: ['default', ...users] }
  const metaData = { 'instance-id': spec.ref, 'local-hostname': spec.name }
  return {
    'user-data': `#cloud-config\n${JSON.stringify(userData, null, 1)}\n`,
    'meta-data': `${JSON.stringify(metaData, null, 1)}\n`,
  }
}

/** A name that `useradd` takes. */
function account(user: string): string {
  if (/^[a-z_][a-z0-9_.-]{0,31}$/.test(user)) return user
  throw refused(`"${printable(user)}" cannot be the name of an account in a Linux guest.`)
}

function key(line: string): string {
  if (!hasControl(line) && /^[a-z0-9@.-]+ [A-Za-z0-9+/=]+( .*)?$/.test(line)) return line
  throw refused('A public key is not an OpenSSH one.')
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 60)
}

async function answerFiles(
  spec: MachineSpec,
  template: LibvirtTemplate | undefined,
): Promise<Record<string, string>> {
  const text = await answers(spec, template)
  // Windows Setup looks for the one name, a prepared image (sysprep) for the other.
  return { 'Autounattend.xml': text, 'Unattend.xml': text }
}

async function answers(spec: MachineSpec, template: LibvirtTemplate | undefined): Promise<string> {
  const accounts = domainAccounts(template?.accounts, spec.administrators)
  if (template?.unattend === undefined) return answerFile(spec.name, accounts)
  const own = await readFile(template.unattend, 'utf8').catch(() => {
    throw refused(`The answer file ${template.unattend ?? ''} cannot be read.`)
  })
  return own
    .replaceAll('{{computerName}}', () => escapeXml(spec.name))
    .replaceAll('{{administrators}}', () => accounts)
}

/** Accounts of a Windows domain in the local group of administrators (Microsoft-Windows-Shell-Setup, DomainAccounts). */
function domainAccounts(domain: string | undefined, administrators: readonly Administrator[]): string {
  if (domain === undefined) return ''
  const rows = administrators.map(({ user }) =>
    element(
      'DomainAccount',
      { 'wcm:action': 'add' },
      element('Group', {}, 'Administrators'),
      element('Name', {}, escapeXml(user)),
    ),
  )
  const list = element(
    'DomainAccountList',
    { 'wcm:action': 'add' },
    ...rows,
    element('Domain', {}, escapeXml(domain)),
  )
  return rows.length === 0 ? '' : element('DomainAccounts', {}, list)
}

/** For an image that was prepared with sysprep. A site that needs more has an answer file of its own. */
export function answerFile(name: string, accounts: string): string {
  const oobe = element(
    'OOBE',
    {},
    element('HideEULAPage', {}, 'true'),
    element('HideOnlineAccountScreens', {}, 'true'),
    element('HideWirelessSetupInOOBE', {}, 'true'),
    element('ProtectYourPC', {}, '3'),
  )
  const people = accounts === '' ? [] : [element('UserAccounts', {}, accounts)]
  return `<?xml version="1.0" encoding="utf-8"?>\n${element(
    'unattend',
    { xmlns: 'urn:schemas-microsoft-com:unattend' },
    pass('specialize', element('ComputerName', {}, escapeXml(name))),
    pass('oobeSystem', oobe, ...people),
  )}\n`
}

function pass(name: string, ...settings: string[]): string {
  return element('settings', { pass: name }, element('component', shellSetup, ...settings))
}

const shellSetup = {
  name: 'Microsoft-Windows-Shell-Setup',
  processorArchitecture: 'amd64',
  publicKeyToken: '31bf3856ad364e35',
  language: 'neutral',
  versionScope: 'nonSxS',
  'xmlns:wcm': 'http://schemas.microsoft.com/WMIConfig/2002/State',
}
