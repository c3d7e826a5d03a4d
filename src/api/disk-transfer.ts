import { type Request, type Response, Router } from 'express'
import type { Ids } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { dropDisk, folderOf, handDisk, workPath, writeDisk } from '../jobs/disk-folder.ts'
import { libraryOf } from '../jobs/library.ts'
import { fileTaken, readDiskFile, storeDiskFile, tooLarge } from '../operations/disk-files.ts'
import type { Operations } from '../operations/perform.ts'
import type { Site } from '../operations/site.ts'
import type { Callers } from './callers.ts'
import { problemHandler } from './problem.ts'
import { callerOfRequest } from './rest.ts'

export interface TransferServices {
  operations: Operations
  callers: Callers
  site: Site
  ids: Ids
  log: Log
}

/**
 * Sends people's files of disks, which are too large to be answers of operations: `GET /files/{name}/content`, with ranges
 * (RFC 9110, 14), so that what broke off goes on where it was; and takes them: `PUT /files/{name}`, as they are.
 */
export function diskTransfer(services: TransferServices): Router {
  const router = Router()
  router.get('/files/:name/content', (request, response) => send(services, request, response))
  router.put('/files/:name', (request, response) => receive(services, request, response))
  router.use(problemHandler(services.log))
  return router
}

async function send(
  { operations, callers, site }: TransferServices,
  request: Request,
  response: Response,
): Promise<void> {
  const caller = await callerOfRequest(request, callers)
  const { name } = request.params
  const { of } = request.query
  const wish = { name: String(name), ...(typeof of === 'string' ? { of } : {}) }
  const { user } = await operations.perform(readDiskFile, caller, wish)
  const root = folderOf(libraryOf(site).folder, user)
  await new Promise<void>((resolve, reject) => {
    response.attachment(wish.name).setHeader('Cache-Control', 'private, no-store')
    response.sendFile(wish.name, { root, dotfiles: 'deny', cacheControl: false }, (error?: Error) => {
      // Whoever hangs up half-way has what they have.
      if (error === undefined || response.headersSent) resolve()
      else reject(error)
    })
  })
}

async function receive(
  { operations, callers, site, ids }: TransferServices,
  request: Request,
  response: Response,
): Promise<void> {
  const caller = await callerOfRequest(request, callers)
  const name = String(request.params.name)
  const length = request.get('Content-Length')
  const bytes = length === undefined ? null : Number(length)
  const { user, mostBytes } = await operations.perform(storeDiskFile, caller, { name, bytes })
  const { folder: library } = libraryOf(site)
  const work = workPath(library, `upload-${ids.secret(12)}`)
  const written = await writeDisk(request, work, mostBytes).catch((error: unknown) => {
    // Whoever hangs up half-way has nobody left to be answered.
    if (!request.complete && request.destroyed) return undefined
    throw error
  })
  if (written === undefined) return
  if (written === 'too large') throw tooLarge(name, mostBytes)
  if ((await handDisk(work, { library, user, name })) === 'taken') {
    await dropDisk(work)
    throw fileTaken(name)
  }
  response.status(201).json({ name, bytes: written })
}
