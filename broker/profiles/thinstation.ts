import { collectionToken, type DeviceFacts, harmless, shownName, startPage } from './device.ts'

/** `thinstation.conf.network`: what every ThinStation of the site does. A shell reads it, so values are harmless to one. */
export function thinstationNetwork(facts: Pick<DeviceFacts, 'publicUrl' | 'address'>): string {
  return lines(['# Jackdaw: for all devices', ...browser({ ...facts, pool: null, terminal: null })])
}

/** `thinstation.conf-MAC`: a session of the pool that the device is for, or our page to log in on. */
export function thinstationDevice(facts: DeviceFacts): string {
  const { pool, address, terminal } = facts
  const head = `# Jackdaw: ${terminal === null ? 'a device that is not known' : harmless(terminal.name)}`
  if (pool === null) return lines([head, ...browser(facts)])
  const options = [
    `/load-balance-info:'${harmless(collectionToken(pool.name))}'`,
    '/f',
    `/bpp:${pool.rdp.colours}`,
    '+auto-reconnect',
    '/cert:tofu',
    ...(pool.rdp.clipboard ? ['+clipboard'] : ['-clipboard']),
    ...(pool.rdp.audio === 'client' ? ['/sound'] : []),
    ...(pool.rdp.nla ? [] : ['-sec-nla']),
  ]
  return lines([
    head,
    `SESSION_0_TITLE="${harmless(shownName(pool))}"`,
    'SESSION_0_TYPE=freerdp',
    `SESSION_0_FREERDP_SERVER="${harmless(address)}"`,
    `SESSION_0_FREERDP_OPTIONS="${options.join(' ')}"`,
    'SESSION_0_AUTOSTART=on',
    'RECONNECT_PROMPT=On',
  ])
}

function browser(facts: DeviceFacts): string[] {
  return [
    'SESSION_0_TITLE="Desktop"',
    'SESSION_0_TYPE=firefox',
    `SESSION_0_FIREFOX_HOMEPAGE="${harmless(startPage(facts))}"`,
    'SESSION_0_AUTOSTART=on',
  ]
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`
}
