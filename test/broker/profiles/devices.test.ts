import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { thinstationDevice, thinstationNetwork } from '../../../broker/profiles/thinstation.ts'
import { wyseDevice, wyseGlobal } from '../../../broker/profiles/wyse.ts'
import { aPool } from '../samples.ts'

const facts = {
  address: 'rdp.example.org:3389',
  publicUrl: 'https://desktops.example.org',
  pool: aPool({ title: 'Public desktop' }),
  terminal: { name: 'lobby-1', mac: '00:0b:3c:00:00:11' },
}

test('a Wyse for a pool connects to the router by itself', () => {
  const ini = wyseDevice(facts)

  expect(ini.replaceAll('\r\n', '\n')).toBe(`# Jackdaw: lobby-1
SessionConfig=RDP EnableNLA=yes TSGWEnable=no
connect=RDP description="Public desktop" \\
  host="rdp.example.org:3389" \\
  fullscreen=yes \\
  resolution=default \\
  colors=true \\
  autoconnect=1 \\
  reconnect=5 \\
  mapdisks=no \\
  unmapprinters=yes
`)
})

test('a Wyse for nobody in particular reads our feed', () => {
  expect(wyseDevice({ ...facts, pool: null })).toContain('VDIBroker=https://desktops.example.org\r\n')
})

test.each([
  ['for all', wyseGlobal()],
  ['for one', wyseDevice(facts)],
  ['for one without a pool', wyseDevice({ ...facts, pool: null })],
])('a Wyse file %s says nothing twice: a device might restart for ever', (_, ini) => {
  const names = ini
    .split('\r\n')
    .filter((line) => /^\w+=/.test(line))
    .map((line) => line.split(' ')[0])

  expect(new Set(names).size).toBe(names.length)
})

/** What a shell makes of a file, as ThinStation reads it. */
function read(conf: string, name: string): string {
  return execFileSync('/bin/sh', ['-u', '-c', `${conf}\nprintf %s "$${name}"`], { encoding: 'utf8' })
}

test('a ThinStation for a pool asks the router for it, in words that a shell leaves alone', () => {
  const conf = thinstationDevice(facts)

  expect(read(conf, 'SESSION_0_FREERDP_SERVER')).toBe('rdp.example.org:3389')
  expect(read(conf, 'SESSION_0_FREERDP_OPTIONS')).toBe(
    "/load-balance-info:'tsv://MS Terminal Services Plugin.1.public' /f /bpp:32 +auto-reconnect /cert:tofu -clipboard /sound",
  )
})

test('a ThinStation without a pool opens our page, which learns its name', () => {
  const conf = thinstationDevice({ ...facts, pool: null })

  expect(read(conf, 'SESSION_0_FIREFOX_HOMEPAGE')).toBe(
    'https://desktops.example.org/desktop?terminal=lobby-1',
  )
  expect(read(thinstationNetwork(facts), 'SESSION_0_FIREFOX_HOMEPAGE')).toBe(
    'https://desktops.example.org/desktop',
  )
})

test.each(['$(reboot)', '`reboot`', 'a"; reboot; "', "a'b", 'a\\b', 'Zoë'])(
  'a pool that is called %s is shown by its plain name',
  (title) => {
    const pool = aPool({ title })

    expect(read(thinstationDevice({ ...facts, pool }), 'SESSION_0_TITLE')).toBe('public')
    expect(wyseDevice({ ...facts, pool })).toContain('description="public"')
  },
)

test('an address that a shell would run is our own mistake', () => {
  expect(() => thinstationDevice({ ...facts, address: 'x$(reboot)' })).toThrow(
    expect.objectContaining({ code: 'ERR_ASSERTION' }),
  )
})
