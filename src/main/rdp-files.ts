import { readFile, writeFile } from 'node:fs/promises'
import { makeSigningCertificate } from '../../broker/rdp-certificate.ts'
import { type RdpFinish, rdpFinish } from '../../broker/rdp-finish.ts'
import { rdpSigner, type RdpSigner, type SigningMaterial } from '../../broker/rdp-signer.ts'
import type { Clock } from '../base/clock.ts'
import { messageOf, Outage } from '../base/errors.ts'
import type { Ids } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Config } from '../config.ts'
import type { Store } from '../store/store.ts'

export interface RdpFiles {
  finish: RdpFinish
  /** What the site's computers are to trust. */
  signer: Pick<RdpSigner, 'certificate' | 'thumbprint'>
}

interface Services {
  store: Store
  clock: Clock
  ids: Ids
  log: Log
}

/**
 * What completes RDP files: the site's certificate, made when the service first starts unless the site brings its own,
 * and the key of its gateway.
 * @throws Outage `rdp_signing_unusable`, `rdp_gateway_unusable`.
 */
export async function openRdpFiles({ site, rdp }: Config, services: Services): Promise<RdpFiles> {
  const make = () =>
    makeSigningCertificate({
      name: `${site.name} (RDP files)`.slice(0, 64),
      at: services.clock.now(),
      serial: Buffer.from(services.ids.secret(15), 'base64url').toString('hex'),
    })
  const { signing } = rdp
  const material = await (signing === undefined ? kept(services.store, make) : inFiles(signing, make))
  const signer = usable(material)
  services.log.info({ thumbprint: signer.thumbprint }, 'RDP files are signed')
  const gateway = rdp.gateway === undefined ? undefined : await gatewayOf(rdp.gateway)
  const options = { signer, server: rdp.publicAddress, ...(gateway === undefined ? {} : { gateway }) }
  return { finish: rdpFinish(options), signer }
}

function usable(material: SigningMaterial): RdpSigner {
  try {
    return rdpSigner(material)
  } catch (cause) {
    throw unusable('rdp_signing_unusable', `RDP files cannot be signed: ${messageOf(cause)}`, cause)
  }
}

/** In the site's own store, so that all of its processes sign alike. */
async function kept(store: Store, make: () => Promise<SigningMaterial>): Promise<SigningMaterial> {
  const stored = () =>
    store.read(async (tx) => ({
      certificate: (await tx.secrets.get('rdp-certificate'))?.value,
      key: (await tx.secrets.get('rdp-key'))?.value,
    }))
  const { certificate, key } = await stored()
  if (certificate !== undefined && key !== undefined) return { certificate, key }
  const made = await make()
  return store.transact(async (tx) => {
    // Another process may have been quicker.
    const known = await tx.secrets.get('rdp-certificate')
    const knownKey = await tx.secrets.get('rdp-key')
    if (known !== undefined && knownKey !== undefined)
      return { certificate: known.value, key: knownKey.value }
    await tx.secrets.put({ id: 'rdp-certificate', value: made.certificate })
    await tx.secrets.put({ id: 'rdp-key', value: made.key })
    return made
  })
}

async function inFiles(
  paths: { certificate: string; key: string },
  make: () => Promise<SigningMaterial>,
): Promise<SigningMaterial> {
  const [certificate, key] = [await textOf(paths.certificate), await textOf(paths.key)]
  if (certificate !== undefined && key !== undefined) return { certificate, key }
  if (certificate !== undefined || key !== undefined) {
    const missing = certificate === undefined ? paths.certificate : paths.key
    throw unusable(
      'rdp_signing_unusable',
      `${missing} is missing, and the other file of rdp.signing is there`,
    )
  }
  const made = await make()
  try {
    await writeFile(paths.key, made.key, { mode: 0o600, flag: 'wx' })
    await writeFile(paths.certificate, made.certificate, { flag: 'wx' })
  } catch (cause) {
    throw unusable(
      'rdp_signing_unusable',
      `the files of rdp.signing cannot be made: ${messageOf(cause)}`,
      cause,
    )
  }
  return made
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw unusable('rdp_signing_unusable', `${path} cannot be read: ${messageOf(cause)}`, cause)
  }
}

async function gatewayOf({ keyFile, bindClient }: { keyFile: string; bindClient: boolean }) {
  const key = (await textOf(keyFile))?.trim()
  if (key === undefined || Buffer.byteLength(key) !== 32) {
    const want = 'should hold the 32 characters of the gateway’s PAATokenSigningKey'
    throw unusable('rdp_gateway_unusable', `${keyFile} ${want}`)
  }
  return { key, bindClient }
}

function unusable(code: string, detail: string, cause?: unknown): Outage {
  return new Outage(code, detail, { transient: false, cause })
}
