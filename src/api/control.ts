import express, { type Router } from 'express'
import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { messageOf } from '../base/errors.ts'
import type { Finding } from '../base/finding.ts'
import type { Log } from '../base/log.ts'
import { type HttpServer, listen } from './server.ts'

/** Socket paths are bounded by the system (`sun_path`, unix(7)). */
const longestPath = 100

/** Where the command line finds a service that runs. */
export function controlPath(dataPath: string): string {
  return join(dataPath, 'control.sock')
}

export interface ControlOptions {
  dataPath: string
  api: Router
  /** Writes all that the site remembers to a stream. */
  backup: (to: Writable) => Promise<void>
  /** Tries what the site stands on, for `jackdaw doctor`. */
  examine: () => Promise<Finding[]>
  log: Log
}

/**
 * Serves the API and a backup on a socket in the data directory, for the command line. Whoever may open it may read all data anyway,
 * so no password is asked for.
 */
export async function openControl({
  dataPath,
  api,
  backup,
  examine,
  log,
}: ControlOptions): Promise<Pick<HttpServer, 'close'>> {
  const path = controlPath(dataPath)
  if (path.length > longestPath || process.platform === 'win32') {
    log.warn(
      { path },
      'no control socket here: use the API instead of the command line while the service runs',
    )
    return { close: async () => undefined }
  }
  // With a database of its own a site may have several processes, and each should have a folder of its own.
  if (await isListenedOn(path)) {
    log.warn({ path }, 'no control socket here: another process has it')
    return { close: async () => undefined }
  }
  // A socket that lies here is left over from a crash.
  await rm(path, { force: true })
  const app = express()
  app.set('query parser', 'simple')
  app.use('/api/v1', api)
  app.get('/backup', async (_request, response) => {
    response.type('application/gzip')
    // What has been sent cannot be taken back: the end of the connection tells that it is not whole.
    await backup(response).catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'backup broken off')
      response.destroy()
    })
  })
  app.get('/doctor', async (_request, response) => {
    response.json(await examine())
  })
  const server = await listen(app, { path })
  await chmod(path, 0o600)
  return server
}

async function isListenedOn(path: string): Promise<boolean> {
  const probe = connect(path)
  try {
    await once(probe, 'connect')
    return true
  } catch {
    return false
  } finally {
    probe.destroy()
  }
}
