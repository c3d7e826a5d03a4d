import { Duplex } from 'node:stream'
import type { SimulatedMachine } from './simulated-machine.ts'

const longestLine = 200

/** The serial line of a simulated guest: it greets, and says back what is typed, a line at a time. */
export function simulatedSerial({ name }: Pick<SimulatedMachine, 'name'>): Duplex {
  let line = ''
  const terminal = new Duplex({
    read() {
      // Whatever there is to read was pushed when it came up.
    },
    write(chunk: Buffer, _encoding, done) {
      for (const key of chunk.toString('utf8')) type(key)
      done()
    },
    final(done) {
      terminal.push(null)
      done()
    },
  })

  function type(key: string): void {
    if (key !== '\r' && key !== '\n') {
      if (line.length >= longestLine) return
      line += key
      terminal.push(key)
      return
    }
    terminal.push(`\r\n${line === '' ? '' : `You typed: ${line}\r\n`}${name}# `)
    line = ''
  }

  terminal.push(`${name} is a simulated machine: nothing runs in it.\r\n${name}# `)
  return terminal
}
