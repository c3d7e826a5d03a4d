import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { vmOn } from './farm.ts'
import { Answer } from './machines.ts'
import type { Asked } from './verbs.ts'

/** A proxy that waits for the one it was made for. */
export interface Waiting {
  kind: 'screen' | 'serial'
  vmid: number
  ticket: string
  password: string
  user: string
}

let lastPort = 0

/** Which proxies wait, by their port. */
export type Proxies = Map<number, Waiting>

export function openProxy(asked: Asked, proxies: Proxies, kind: Waiting['kind']): object {
  const { farm, node, vmid, user, given } = asked
  const vm = vmOn(farm, node, vmid)
  if (kind === 'serial' && vm.config[given.get('serial') ?? 'serial0'] !== 'socket') {
    throw new Answer(500, 'unable to find a serial interface\n')
  }
  lastPort = (lastPort + 1) % 100
  const port = 5900 + lastPort
  const password = randomBytes(6).toString('base64url')
  const ticket = `PVEVNC:${Date.now().toString(16).toUpperCase()}::${randomBytes(24).toString('base64')}==`
  proxies.set(port, { kind, vmid, ticket, password, user })
  const upid = `UPID:${node}:00000001:00000001:00000001:vncproxy:${vmid}:${user}:`
  const common = { port: String(port), user, upid, cert: '' }
  return kind === 'screen' ? { ...common, ticket: `${password}:${ticket}`, password } : { ...common, ticket }
}

export interface FakeScreen {
  /** What its RFB server wants as security: VNC authentication with the password it was given, or nothing. */
  security: number
  /** Reads the challenge's answer, and says whether it is right. */
  isRight: (challenge: Buffer, answer: Buffer, password: string) => boolean
}

/** The start of an RFB server (RFC 6143 §7.1), which then says back what it hears. */
export function screenOf(stream: Duplex, waiting: Waiting, { security, isRight }: FakeScreen): void {
  const challenge = randomBytes(16)
  let heard: Buffer = Buffer.alloc(0)
  const steps: { bytes: number; then: (said: Buffer) => void }[] = [
    { bytes: 12, then: () => stream.write(Buffer.of(2, 16, security)) },
    {
      bytes: 1,
      then(said) {
        if (said[0] !== security) stream.end()
        else if (security === 2) stream.write(challenge)
        else stream.write(Buffer.alloc(4))
      },
    },
    ...(security === 2
      ? [
          {
            bytes: 16,
            then(said: Buffer) {
              const reason = Buffer.from('Authentication failed')
              const length = Buffer.alloc(4)
              length.writeUInt32BE(reason.length)
              if (isRight(challenge, said, waiting.password)) stream.write(Buffer.alloc(4))
              else stream.end(Buffer.concat([Buffer.of(0, 0, 0, 1), length, reason]))
            },
          },
        ]
      : []),
  ]
  stream.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk])
    for (let step = steps[0]; step !== undefined && heard.length >= step.bytes; step = steps[0]) {
      steps.shift()
      const said = heard.subarray(0, step.bytes)
      heard = heard.subarray(step.bytes)
      step.then(said)
    }
    if (steps.length > 0 || heard.length === 0) return
    stream.write(heard)
    heard = Buffer.alloc(0)
  })
  stream.write('RFB 003.008\n')
}

/** `termproxy`: a line with user and ticket, `OK`, then frames one way and bytes the other. It says back what is typed. */
export function terminalOf(stream: Duplex, waiting: Waiting): void {
  let isIn = false
  let heard = ''
  stream.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1')
    if (!isIn) {
      const end = heard.indexOf('\n')
      if (end === -1) return
      if (heard.slice(0, end) !== `${waiting.user}:${waiting.ticket}`) {
        stream.end()
        return
      }
      isIn = true
      heard = heard.slice(end + 1)
      stream.write('OKstarting serial terminal\r\n')
    }
    for (let frame = frameIn(heard); frame !== undefined; frame = frameIn(heard)) {
      heard = heard.slice(frame.length)
      if (frame.text !== undefined) stream.write(Buffer.from(frame.text, 'latin1'))
    }
  })
}

function frameIn(text: string): { length: number; text?: string } | undefined {
  if (text.startsWith('2')) return { length: 1 }
  const size = /^1:\d+:\d+:/.exec(text)
  if (size !== null) return { length: size[0].length }
  const typed = /^0:(\d+):/.exec(text)
  if (typed === null) return undefined
  const end = typed[0].length + Number(typed[1])
  return text.length < end ? undefined : { length: end, text: text.slice(typed[0].length, end) }
}
