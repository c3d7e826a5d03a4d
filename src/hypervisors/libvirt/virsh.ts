import { hostUnreachable, hypervisorUnreachable, machineMissing, refused } from '../outages.ts'
import { type Answer, NoAnswer, run } from '../command.ts'
import type { LibvirtHost } from './rule.ts'

/** `virsh` said no. Whoever called looks at how things are, and then makes an Outage of it. */
export class VirshError extends Error {
  override readonly name = 'VirshError'
}

/** One host, asked through a `virsh` of its own each time, so that no call can hang on another. */
export interface Virsh {
  readonly host: LibvirtHost
  /** Carries out one command. @throws VirshError when libvirt refuses, Outage `host_unreachable`. */
  call(signal: AbortSignal, words: readonly string[], deadlineMillis?: number): Promise<string>
  /**
   * Asks several things in one go. Only words of our own and UUIDs may stand in the questions, since `virsh` takes them
   * as one line. @throws Outage `host_unreachable`.
   */
  ask(signal: AbortSignal, questions: readonly string[]): Promise<Answers>
}

export interface Answers {
  /** What was printed to each question; null where that was refused, or nothing. */
  texts: (string | null)[]
  /** What was said of those that were refused. */
  errors: string
}

/** How long libvirt may take to say something, to do something, and to do what writes a machine's memory. */
const askMillis = 10_000
const shortMillis = 60_000
export const longMillis = 30 * 60_000

// Printed before and after each answer; nothing that virsh prints itself looks like it.
const [begin, end] = ['%%jackdaw-begin%%', '%%jackdaw-end%%']

export function virsh(host: LibvirtHost): Virsh {
  const connect = ['-q', '-c', connection(host.uri)]

  async function answer(signal: AbortSignal, words: readonly string[], deadline: number): Promise<Answer> {
    try {
      const said = await run('virsh', [...connect, ...words], { signal, deadlineMillis: deadline })
      if (isSilent(said)) throw hostUnreachable(host.name, new VirshError(reason(said.stderr)))
      return said
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      if (error.cause !== undefined) throw hypervisorUnreachable('virsh', error)
      throw hostUnreachable(host.name, error)
    }
  }

  return {
    host,
    async call(signal, words, deadlineMillis = shortMillis) {
      const { code, stdout, stderr } = await answer(signal, words, deadlineMillis)
      if (code !== 0) throw new VirshError(reason(stderr))
      return stdout
    },
    async ask(signal, questions) {
      const script = questions.map((question) => `echo ${begin}; ${question}; echo ${end}`).join('; ')
      const { stdout, stderr } = await answer(signal, [script], askMillis)
      const answers = stdout.split(begin).slice(1)
      const texts = questions.map((_, index) => {
        const [text = ''] = (answers[index] ?? '').split(end)
        return text.trim() === '' ? null : text
      })
      return { texts, errors: stderr }
    },
  }
}

/** Over ssh, nobody is there to type a password. */
export function connection(uri: string): string {
  if (!/^[a-z]+\+(ssh|libssh2?):/.test(uri) || /[?&]no_tty=/.test(uri)) return uri
  return `${uri}${uri.includes('?') ? '&' : '?'}no_tty=1`
}

/** Whether no libvirt was reached at all, or it went away in the middle. */
function isSilent({ code, stderr }: Answer): boolean {
  if (code === 0) return false
  return /^error: (failed to connect to the hypervisor|.*(client socket is closed|End of file while reading data|connection closed due to keepalive|Cannot recv data|Cannot write data))/im.test(
    stderr,
  )
}

/** The cause in libvirt's words, which come in two lines: what it was doing, and why that was not to be. */
function reason(stderr: string): string {
  const said = stderr.split('\n').filter((line) => line.startsWith('error: '))
  return (said.at(-1) ?? said[0] ?? 'error: no reason given').slice('error: '.length)
}

/** The Outage that a refusal of libvirt's is, with its own words in it. */
export function outageOf(error: unknown, ref: string): unknown {
  if (!(error instanceof VirshError)) return error
  const { message } = error
  if (/^failed to get domain|^Domain not found/i.test(message)) return machineMissing(ref)
  const passing =
    /cannot acquire state change lock|another (job|operation)|is active, being migrated|Timed out|find an available port/i
  return refused(`libvirt refused: ${printable(message)}.`, { transient: passing.test(message) })
}

function printable(message: string): string {
  const text = message.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').trim()
  return text.replace(/\.$/, '').slice(0, 300)
}
