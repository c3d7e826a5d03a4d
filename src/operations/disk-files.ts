import { z } from 'zod'
import { Refusal, refuse } from '../base/errors.ts'
import { hasRole, type Caller } from '../identity/person.ts'
import { findDisk, listDisks } from '../jobs/disk-folder.ts'
import { libraryOf } from '../jobs/library.ts'
import { enqueue } from '../jobs/outbox.ts'
import { DiskFileName } from '../machines/disk-file.ts'
import { change, query } from './operation.ts'
import { anybody } from './rules.ts'
import { InstantShape, text } from './shapes/fields.ts'

/** Whose file it is. Everybody has a folder of their own; operators may name another's. */
export const OfField = text(100).optional()

/** @throws Refusal `forbidden`. */
export function whoseFiles(caller: Caller, of: string | undefined): string {
  const user = of?.toLowerCase() ?? caller.user
  if (user !== caller.user && !hasRole(caller, 'operator')) {
    refuse('forbidden', 'Only operators may use the files of others. Leave out whose it is.')
  }
  return user
}

const FileShape = z.object({ name: z.string(), bytes: z.number(), changedAt: InstantShape })
export type DiskFileView = z.infer<typeof FileShape>

export const listDiskFiles = query({
  name: 'list-disk-files',
  summary: 'List your files of disks: those you may import, and those that were exported for you.',
  http: { method: 'GET', path: '/files' },
  input: z.object({ of: OfField }),
  output: z.object({ items: z.array(FileShape) }),
  allow: anybody,
  ask: ({ site }, { of }, caller) => listDisks(libraryOf(site).folder, whoseFiles(caller, of)),
  run: async (_context, _input, items) => ({ items }),
})

export const removeDiskFile = change({
  name: 'remove-disk-file',
  summary: 'Delete one of your files of disks. Images that were made of it stay.',
  http: { method: 'DELETE', path: '/files/{name}', status: () => 202 },
  input: z.object({ name: DiskFileName, of: OfField }),
  output: z.object({ job: z.string() }),
  subject: ({ name }) => `file:${name}`,
  allow: anybody,
  ask: ({ site }, { name, of }, caller) => findDisk(libraryOf(site).folder, whoseFiles(caller, of), name),
  async run(context, { name, of }) {
    const user = whoseFiles(context.caller, of)
    const facts = { subject: `file:${user}/${name}`, by: context.caller.user }
    return { job: (await enqueue(context, 'remove-disk', { user, file: name }, facts)).id }
  },
})

/** For the face that sends files: whose it is, once they may have it. */
export const readDiskFile = change({
  name: 'read-disk-file',
  summary: 'Fetch one of your files of disks.',
  http: null,
  input: z.object({ name: DiskFileName, of: OfField }),
  output: z.object({ user: z.string(), bytes: z.number() }),
  subject: ({ name }) => `file:${name}`,
  allow: anybody,
  ask: ({ site }, { name, of }, caller) => findDisk(libraryOf(site).folder, whoseFiles(caller, of), name),
  run: async ({ caller }, { of }, { bytes }) => ({ user: whoseFiles(caller, of), bytes }),
})

/** For the face that takes files: whose folder it goes to, and how large it may be. */
export const storeDiskFile = change({
  name: 'store-disk-file',
  summary: 'Send a file of a disk.',
  http: null,
  input: z.object({
    name: DiskFileName,
    /** Null where whoever sends it has not said. */
    bytes: z.number().int().min(0).nullable(),
  }),
  output: z.object({ user: z.string(), mostBytes: z.number() }),
  subject: ({ name }) => `file:${name}`,
  allow: anybody,
  ask: ({ site }, _input, caller) => listDisks(libraryOf(site).folder, caller.user),
  async run({ caller, site }, { name, bytes }, there) {
    const { uploadGb } = libraryOf(site)
    const mostBytes = Math.floor(uploadGb * 1e9)
    if (bytes !== null && bytes > mostBytes) throw tooLarge(name, mostBytes)
    if (there.some((known) => known.name === name)) throw fileTaken(name)
    return { user: caller.user, mostBytes }
  },
})

export function tooLarge(name: string, mostBytes: number): Refusal {
  const most = `${mostBytes / 1e9} GB`
  return new Refusal(
    'body_too_large',
    `${name} is larger than ${most}. Have an operator put it into your folder.`,
  )
}

export function fileTaken(name: string): Refusal {
  return new Refusal('already_exists', `You have a file ${name} already. Delete it, or choose another name.`)
}
