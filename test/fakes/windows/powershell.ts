import type { Duplex } from 'node:stream'
import { type Script, wrapping } from '../../../src/hypervisors/powershell/script.ts'
import { type Cmdlet, core, type Context, interpret, quickly } from './interpret.ts'
import { type Call, firstLine } from './sshd.ts'
import { PsError } from './values.ts'

/** What a test may do to one call: fail it, never answer it, cut it, or answer with something else. */
export type Trouble = PsError | 'hang' | 'cut' | { line: string }

export interface Windows {
  /** The scripts that may come; any other is refused. */
  scripts: Readonly<Record<string, Script>>
  /** Streams, by their whole text. */
  streams?: ReadonlyMap<string, (stream: Duplex) => void>
  cmdlets(computer: string): ReadonlyMap<string, Cmdlet>
  files(computer: string): Context['files']
  program?: Context['program']
  /** How many calls are being carried out. */
  running: number
  /** Asked before each call. */
  trouble?: (call: { computer: string; script: string; parameters: unknown }) => Trouble | undefined
}

/** Acts as powershell.exe: decodes the command, takes only scripts that are known, and does what they say. */
export function powershell(windows: Windows): (call: Call) => void {
  return (call) => {
    void answer(windows, call).catch(() => call.stream.destroy())
  }
}

const switches = ['-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-EncodedCommand']

async function answer(windows: Windows, { computer, words, stream }: Call): Promise<void> {
  const [encoded = '', ...more] = words.slice(switches.length)
  if (more.length > 0 || switches.some((word, index) => words[index] !== word)) {
    throw new Error(`powershell was started as nobody starts it: ${words.join(' ')}`)
  }
  const text = Buffer.from(encoded, 'base64').toString('utf16le')
  const line = await firstLine(stream)
  const asStream = windows.streams?.get(text)
  if (asStream !== undefined) {
    asStream(stream)
    return
  }
  const [name, body] = known(windows, text)
  const parameters: unknown = JSON.parse(line)
  const trouble = windows.trouble?.({ computer, script: name, parameters })
  if (trouble === 'hang') return
  if (trouble === 'cut') return void stream.destroy()
  const tell = (message: unknown): void => void stream.write(`${wrapping.mark}${JSON.stringify(message)}\r\n`)
  if (trouble !== undefined && 'line' in trouble) return void stream.end(trouble.line)
  const gone = new AbortController()
  stream.on('close', () => gone.abort())
  // A closed input is how the death of its caller shows here.
  stream.on('end', () => gone.abort())
  stream.resume()
  const context: Omit<Context, 'set'> = {
    ...{ signal: gone.signal, sleep: quickly(gone.signal), tell, files: windows.files(computer) },
    program: windows.program ?? (() => 1),
  }
  windows.running += 1
  try {
    if (trouble !== undefined) throw trouble
    const cmdlets = new Map([...core, ...windows.cmdlets(computer)])
    const data = await interpret(body, parameters, cmdlets, context)
    tell({ ok: true, data })
  } catch (error) {
    if (gone.signal.aborted) return
    if (!(error instanceof PsError))
      tell({
        ok: false,
        error: {
          id: 'StandIn',
          category: '',
          hresult: 0,
          message: `the stand-in: ${String(error)} in ${name}`,
        },
      })
    else
      tell({
        ok: false,
        error: { id: error.id, category: error.category, hresult: error.hresult, message: error.message },
      })
  } finally {
    windows.running -= 1
  }
  stream.end()
}

/** The name and the text of the script inside its wrapping. */
function known({ scripts }: Windows, text: string): [string, string] {
  const { before, after } = wrapping
  if (!text.startsWith(before) || !text.endsWith(after)) throw new Error('a script without its wrapping')
  const body = text.slice(before.length, -after.length)
  const name = Object.keys(scripts).find((key) => scripts[key]?.text === body)
  if (name === undefined) throw new Error(`a script that is none of ours: ${body}`)
  return [name, body]
}
