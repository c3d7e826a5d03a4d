import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Resolver } from 'node:dns/promises'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../service/process.ts'

/** A real BIND of its own, with zones that a key may change and one that it may not. */
export interface Named {
  port: number
  /** What it answers itself, not what somebody remembers. */
  resolver: Resolver
  stop(): Promise<void>
}

/** The key that it shares, in base64. */
export const secret = Buffer.from('a secret of thirty-two bytes, ok').toString('base64')
const openZones = ['example.test', '128.10.in-addr.arpa', '8.b.d.0.1.0.0.2.ip6.arpa']
export const closedZone = 'closed.test'

export async function startNamed(program: string): Promise<Named> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-named-'))
  const port = await freePort()
  for (const zone of [...openZones, closedZone]) await writeFile(join(folder, zone), zoneFile)
  await writeFile(join(folder, 'named.conf'), configuration(folder, port))
  const child = spawn(program, ['-g', '-c', join(folder, 'named.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const gone = once(child, 'exit')
  await running(child.stderr, gone)
  const resolver = new Resolver({ timeout: 5_000, tries: 2 })
  resolver.setServers([`127.0.0.1:${port}`])
  return {
    port,
    resolver,
    async stop() {
      child.kill('SIGTERM')
      await gone
      await rm(folder, { recursive: true })
    },
  }
}

async function running(output: NodeJS.ReadableStream, gone: Promise<unknown>): Promise<void> {
  let said = ''
  const ready = new Promise<void>((resolve) => {
    output.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString('utf8')}`.slice(-10_000)
      if (said.includes(' running\n')) resolve()
    })
  })
  const failed = gone.then(() => {
    throw new Error(`named ended: ${said}`)
  })
  await Promise.race([ready, failed])
}

const zoneFile = `$TTL 60
@ IN SOA ns.other.test. hostmaster.other.test. ( 1 3600 600 86400 60 )
@ IN NS ns.other.test.
@ IN TXT "here"
theirs IN A 192.0.2.7
`

function configuration(folder: string, port: number): string {
  const zones = openZones.map(
    (zone) => `zone "${zone}" { type primary; file "${zone}"; allow-update { key "jackdaw"; }; };`,
  )
  return `key "jackdaw" { algorithm hmac-sha256; secret "${secret}"; };
options {
  directory "${folder}"; pid-file "${folder}/pid"; session-keyfile "${folder}/session.key";
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; empty-zones-enable no;
};
controls { };
${zones.join('\n')}
zone "${closedZone}" { type primary; file "${closedZone}"; };
`
}
