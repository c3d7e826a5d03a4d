import { type Request, type Response, Router } from 'express'
import type { Log } from '../base/log.ts'
import { folderOf } from '../jobs/disk-folder.ts'
import { libraryOf } from '../jobs/library.ts'
import { readDiskFile } from '../operations/disk-files.ts'
import type { Operations } from '../operations/perform.ts'
import type { Site } from '../operations/site.ts'
import type { Callers } from './callers.ts'
import { problemHandler } from './problem.ts'
import { callerOfRequest } from './rest.ts'

export interface TransferServices {
  operations: Operations
  callers: Callers
  site: Site
  log: Log
}

/**
 * Sends people's files of disks, which are too large to be answers of operations: `GET /files/{name}/content`, with ranges
 * (RFC 9110, 14), so that what broke off goes on where it was.
 */
export function diskTransfer(services: TransferServices): Router {
  const router = Router()
  router.get('/files/:name/content', (request, response) => send(services, request, response))
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
