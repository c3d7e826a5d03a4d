import { readFile, writeFile } from 'node:fs/promises'
import { escapeXml } from '../../base/xml.ts'
import type { MachineSpec } from '../hypervisor.ts'
import { refused } from '../outages.ts'
import { seedDisc, seedFiles } from '../seed/disc.ts'
import { whole } from '../disk-image.ts'
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

/** Writes the disc that a guest reads at its first boot. */
export async function writeSeed(
  { template, spec, file }: { template: LibvirtTemplate | undefined; spec: MachineSpec; file: string },
  signal: AbortSignal,
): Promise<void> {
  const kind = seedKind(template, spec)
  if (kind === 'none') return
  const files = seedFiles(spec, kind)
  const own = template?.unattend === undefined ? {} : await ownAnswers(template.unattend, spec)
  const disc = await seedDisc({ ...files, ...own }, signal)
  await whole(file, (draft) => writeFile(draft, disc, { mode: 0o640 }))
}

/** The site's own answer file in the place of ours. The script and the list that ours uses are on the disc as well. */
async function ownAnswers(path: string, { name }: MachineSpec): Promise<Record<string, string>> {
  const own = await readFile(path, 'utf8').catch(() => {
    throw refused(`The answer file ${path} cannot be read.`)
  })
  const text = own.replaceAll('{{computerName}}', () => escapeXml(name.slice(0, 15)))
  return { 'Autounattend.xml': text, 'Unattend.xml': text }
}
