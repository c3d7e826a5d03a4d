import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { StringDecoder } from 'node:string_decoder'

/** What a program said and how it ended. */
export interface Answer {
  code: number
  stdout: string
  stderr: string
}

/** The program could not be started, was stopped by its deadline, or said more than anybody asked for. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

const mostCharacters = 32 * 1024 * 1024

/**
 * Runs a program with its arguments as they are, never through a shell, and waits until it is gone: nothing is left
 * behind when this rejects.
 * @throws the signal's reason once that is aborted; NoAnswer when the deadline has passed.
 */
export async function run(
  program: string,
  words: readonly string[],
  { signal, deadlineMillis }: { signal: AbortSignal; deadlineMillis: number },
): Promise<Answer> {
  signal.throwIfAborted()
  const stop = AbortSignal.any([signal, AbortSignal.timeout(deadlineMillis)])
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: environment() })
  const kill = () => child.kill('SIGKILL')
  stop.addEventListener('abort', kill, { once: true })
  try {
    const said = { stdout: text(child.stdout, kill), stderr: text(child.stderr, kill) }
    const code = await ended(child)
    signal.throwIfAborted()
    if (stop.aborted) throw new NoAnswer(`${program} gave no answer in ${deadlineMillis / 1000} s`)
    if (code === null) throw new NoAnswer(`${program} was ended`)
    return { code, stdout: said.stdout(), stderr: said.stderr() }
  } finally {
    stop.removeEventListener('abort', kill)
  }
}

async function ended(child: ReturnType<typeof spawn>): Promise<number | null> {
  try {
    await once(child, 'close')
    return child.exitCode
  } catch (cause) {
    throw new NoAnswer(`${child.spawnfile} could not be started`, { cause })
  }
}

function text(stream: NodeJS.ReadableStream, overflow: () => void): () => string {
  const decoder = new StringDecoder('utf8')
  let whole = ''
  stream.on('data', (bytes: Buffer) => {
    whole += decoder.write(bytes)
    if (whole.length > mostCharacters) overflow()
  })
  return () => whole
}

/** What the programs need to find one another and their keys. None of our own secrets, and English answers. */
export function environment(): NodeJS.ProcessEnv {
  const passed = ['PATH', 'HOME', 'USER', 'XDG_RUNTIME_DIR', 'SSH_AUTH_SOCK', 'KRB5CCNAME', 'TMPDIR']
  const environment: NodeJS.ProcessEnv = { LC_ALL: 'C' }
  for (const name of passed) environment[name] = process.env[name]
  return environment
}
