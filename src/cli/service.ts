import { type IncomingMessage, request } from 'node:http'
import { controlPath } from '../api/control.ts'
import type { Config } from '../config.ts'

/**
 * Asks the service that runs on a site's data. Gives nothing when none listens.
 * @throws when the service is there and does not answer.
 */
export function askService(
  { store }: Pick<Config, 'store'>,
  call: { method: 'GET' | 'POST'; path: string; type?: string; body?: string },
): Promise<IncomingMessage | undefined> {
  const { method, path, type, body } = call
  return new Promise((resolve, reject) => {
    const headers = type === undefined ? {} : { 'Content-Type': type }
    const sent = request({ socketPath: controlPath(store.path), method, path, headers }, resolve)
    sent.on('error', (error) => {
      if (isAbsent(error)) resolve(undefined)
      else reject(error)
    })
    sent.end(body)
  })
}

/** No socket, one that a crash has left behind, or none that can be had here. */
function isAbsent(error: Error): boolean {
  const codes: readonly unknown[] = [
    'ENOENT',
    'ECONNREFUSED',
    'ENOTSOCK',
    'EINVAL',
    'ENAMETOOLONG',
    'ENOTDIR',
  ]
  return 'code' in error && codes.includes(error.code)
}
