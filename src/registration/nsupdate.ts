import { spawn } from 'node:child_process'
import { registrationRefused, registrationUnreachable } from './registrar.ts'

/** How a name server answered an update (RFC 2136 §2.2): these are what callers act on. */
export type Answer = 'NOERROR' | 'YXDOMAIN' | 'NXDOMAIN' | 'YXRRSET' | 'NXRRSET'
const actedOn: readonly Answer[] = ['YXDOMAIN', 'NXDOMAIN', 'YXRRSET', 'NXRRSET']

/** Answers that waiting may change; all others are about what was asked or who asked. */
const passing = ['SERVFAIL', 'timed out', 'no servers could be reached', 'refused', 'unreachable', 'network']

/**
 * Has `nsupdate` (BIND) send one update, with its key on standard input, so that no list of processes shows it.
 * @throws Outage `registration_refused` for an answer that is no use to anybody; `registration_unreachable`.
 */
export async function nsupdate(server: string, script: string, signal: AbortSignal): Promise<Answer> {
  const { code, words } = await run(server, script, signal)
  if (code === 0) return 'NOERROR'
  const found = actedOn.find((answer) => words.includes(`update failed: ${answer}`))
  if (found !== undefined) return found
  const said = lastLine(words)
  if (/update failed: REFUSED/.test(words)) {
    throw registrationRefused(`The name server ${server} does not let us change that zone.`)
  }
  if (/tsig|BADKEY|BADSIG|BADTIME|NOTAUTH/i.test(words)) {
    throw registrationRefused(`The name server ${server} does not take our key: ${said}.`)
  }
  if (passing.some((word) => words.includes(word))) {
    throw registrationUnreachable(`The name server ${server} gives no useful answer: ${said}.`)
  }
  throw registrationRefused(`The name server ${server} refused an update: ${said}.`)
}

function run(
  server: string,
  script: string,
  signal: AbortSignal,
): Promise<{ code: number | null; words: string }> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'], LC_ALL: 'C' }
    const child = spawn('nsupdate', ['-t', '10', '-r', '2'], { signal, env, stdio: ['pipe', 'pipe', 'pipe'] })
    let words = ''
    const hear = (chunk: string) => (words = `${words}${chunk}`.slice(-4_000))
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    child.stdin.on('error', () => undefined) // It has ended already, and says why by its code.
    child.on('error', (error) => {
      if (signal.aborted) reject(reasonOf(signal))
      else reject(notThere(server, error))
    })
    child.on('close', (code) => resolve({ code, words }))
    child.stdin.end(script)
  })
}

function notThere(server: string, error: Error): Error {
  const isMissing = 'code' in error && error.code === 'ENOENT'
  if (!isMissing) return registrationUnreachable(`nsupdate could not be run for ${server}.`, error)
  return registrationRefused('The program nsupdate is not installed here (Debian: bind9-dnsutils).')
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error('aborted')
}

function lastLine(words: string): string {
  const line = words.trim().split('\n').at(-1) ?? ''
  // Whatever the program says is shown to people, so it is held to one plain line.
  return line.replace(/[^ -~]/g, ' ').slice(0, 200) || 'nothing was said'
}
