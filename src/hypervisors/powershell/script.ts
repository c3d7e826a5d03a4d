import { z } from 'zod'
import { hostUnreachable } from '../outages.ts'
import { type Failure, outageOf } from './failures.ts'
import type { Remote } from './ssh.ts'

/**
 * A fixed text of PowerShell. It finds its parameters in `$p` and leaves its answer in `$data`; nothing of what people
 * give is ever part of it.
 */
export interface Script {
  /** What it does, for messages: `start a machine`. */
  readonly does: string
  readonly text: string
}

/** Our lines among whatever else a profile or a cmdlet may print. */
const mark = 'JACKDAW '

/**
 * Around every script: one line of JSON in, one line of JSON out, errors as data. `[Console]::In` and not `$input`,
 * which powershell.exe would read to its end first; `Tell` sends word on the way. A process without a console has no
 * encoding that could be set.
 */
const before = `$ErrorActionPreference='Stop';$ProgressPreference='SilentlyContinue';$WarningPreference='SilentlyContinue'
try{[Console]::OutputEncoding=New-Object Text.UTF8Encoding $false}catch{}
function Tell($o){[Console]::Out.WriteLine('${mark}'+(ConvertTo-Json -Compress -Depth 6 -InputObject $o))}
try{$p=ConvertFrom-Json -InputObject ([Console]::In.ReadLine());$data=$null
`
const after = `
$r=@{ok=$true;data=$data}}catch{$r=@{ok=$false;error=@{id=[string]$_.FullyQualifiedErrorId;category=[string]$_.CategoryInfo.Category;hresult=[int]$_.Exception.HResult;message=[string]$_.Exception.Message}}}
Tell $r`

export const wrapping = { before, after, mark } as const

/**
 * The command line that runs a script: base64 of UTF-16LE, as `-EncodedCommand` wants it. cmd.exe, which is the shell
 * of Windows' sshd unless it was told otherwise, takes 8191 characters.
 */
export function commandLine(text: string): string {
  const encoded = Buffer.from(text, 'utf16le').toString('base64')
  return `powershell -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand ${encoded}`
}

export function commandOf({ text }: Script): string {
  return commandLine(before + text + after)
}

const Said = z.union([
  z.strictObject({ tell: z.unknown() }),
  z.strictObject({ ok: z.literal(true), data: z.unknown() }),
  z.strictObject({
    ok: z.literal(false),
    error: z.strictObject({
      id: z.string(),
      category: z.string(),
      hresult: z.number(),
      message: z.string(),
    }),
  }),
])

export interface Asked<T> {
  script: Script
  /** Becomes JSON, which PowerShell only reads. */
  parameters: object
  answer: z.ZodType<T>
  signal: AbortSignal
  /** Is handed what the script tells on the way. */
  heard?: (word: unknown) => void
}

/**
 * Runs a script on a Windows server.
 * @throws Outage with the code that the error of PowerShell means; `host_unreachable` when it ended without an answer.
 */
export async function ask<T>(remote: Remote, asked: Asked<T>): Promise<T> {
  const { script, parameters, answer, signal, heard } = asked
  const said: { answer?: { data: unknown }; failure?: Failure } = {}
  await remote.run(commandOf(script), oneLine(parameters), signal, (line) => {
    const message = read(line)
    if (message === undefined) return
    if ('tell' in message) heard?.(message.tell)
    else if (message.ok) said.answer = { data: message.data }
    else said.failure = message.error
  })
  if (said.failure !== undefined) throw outageOf(said.failure, { host: remote.name, does: script.does })
  if (said.answer === undefined) throw hostUnreachable(remote.name, new Error(`no answer to: ${script.does}`))
  const parsed = answer.safeParse(said.answer.data)
  if (parsed.success) return parsed.data
  throw hostUnreachable(remote.name, new Error(`an answer of another shape to: ${script.does}`))
}

/** All in ASCII, so that no code page of the console can spoil it. */
export function oneLine(parameters: object): string {
  const json = JSON.stringify(parameters)
  const ascii = json.replace(/[\u007f-\uffff]/g, (letter) => {
    return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
  return `${ascii}\n`
}

function read(line: string): z.infer<typeof Said> | undefined {
  const at = line.indexOf(mark)
  if (at === -1) return undefined
  try {
    return Said.safeParse(JSON.parse(line.slice(at + mark.length))).data
  } catch {
    return undefined
  }
}
