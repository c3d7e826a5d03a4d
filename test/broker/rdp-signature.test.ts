import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { gatewayToken } from '../../broker/gateway-token.ts'
import { makeSigningCertificate } from '../../broker/rdp-certificate.ts'
import { rdpFile } from '../../broker/rdp-file.ts'
import { rdpFinish } from '../../broker/rdp-finish.ts'
import { signedPart } from '../../broker/rdp-signature.ts'
import { rdpSigner, type SigningMaterial } from '../../broker/rdp-signer.ts'
import { ticketFor } from '../../broker/ticket.ts'
import { aPool, start } from './samples.ts'

const run = promisify(execFile)
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))

const plain = rdpFile({
  address: 'rdp.example.org:3389',
  user: 'alice',
  ticket: ticketFor('key', { id: 'L-1', nonce: 'n1' }),
  allowed: aPool().rdp,
})

let material: SigningMaterial
beforeAll(async () => {
  material = await makeSigningCertificate({ name: 'Demo', at: start, serial: '00'.repeat(15) })
})

const Vector = z.object({
  lines: z.array(z.string()),
  signscope: z.string(),
  spkiDerBase64: z.string(),
  rsaPkcs1Sha1SignatureBase64: z.string(),
})

describe('beside a file that Microsoft signed (MS-RDWR 4.2)', () => {
  let vector: z.infer<typeof Vector>
  beforeAll(async () => {
    vector = Vector.parse(JSON.parse(await readFile(fixture('rdpsign-microsoft.json'), 'utf8')))
  })

  test('the message is the same, byte by byte, and so is the scope', async () => {
    const part = signedPart(`${vector.lines.join('\r\n')}\r\n`)

    expect(part.scope).toBe(`signscope:s:${vector.signscope}`)
    expect(part.message.equals(await readFile(fixture('rdpsign-microsoft.msg.bin')))).toBe(true)
  })

  test('its signature fits our message, in whatever order the lines stand and whatever stands between', () => {
    const mixed = ['username:s:alice', ...vector.lines.toReversed(), 'session bpp:i:32']
    const key = createPublicKey({
      key: Buffer.from(vector.spkiDerBase64, 'base64'),
      format: 'der',
      type: 'spki',
    })
    const theirs = Buffer.from(vector.rsaPkcs1Sha1SignatureBase64, 'base64')

    const { message } = signedPart(mixed.join('\r\n'))

    expect(verify('sha1', message, key, theirs)).toBe(true)
  })
})

test('a setting that stands twice is our own mistake', () => {
  expect(() => signedPart('server port:i:1\r\nServer Port:i:2\r\n')).toThrow(
    expect.objectContaining({ code: 'ERR_ASSERTION' }),
  )
})

describe('a signed file', () => {
  const partsOf = (signed: string) => {
    const { scope, message } = signedPart(plain)
    const [, encoded = ''] = /^signature:s:(.*)\r$/m.exec(signed) ?? []
    const blob = Buffer.from(encoded, 'base64')
    return { scope, message, head: blob.subarray(0, 12), cms: blob.subarray(12) }
  }

  test('is the file, its scope, and a signature behind twelve bytes that say how long it is', async () => {
    const signed = await rdpSigner(material).sign(plain)

    const { scope, head, cms } = partsOf(signed)
    expect(signed.startsWith(`${plain}${scope}\r\nsignature:s:`)).toBe(true)
    expect(head.subarray(0, 8).toString('hex')).toBe('0100010001000000')
    expect(head.readUInt32LE(8)).toBe(cms.length)
  })

  test('is the CMS that openssl makes, byte by byte, and openssl agrees to it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rdp-signature-'))
    const at = (name: string): string => join(folder, name)
    const signer = rdpSigner(material)
    const { message, cms } = partsOf(await signer.sign(plain))
    await writeFile(at('crt'), material.certificate)
    await writeFile(at('key'), material.key, { mode: 0o600 })
    await writeFile(at('message'), message)
    await writeFile(at('cms'), cms)

    const common = ['-in', at('message'), '-signer', at('crt'), '-inkey', at('key'), '-outform', 'DER']
    const how = ['-binary', '-noattr', '-nosmimecap', '-md', 'sha256', '-out', at('theirs')]
    await run('openssl', ['smime', '-sign', ...common, ...how])
    const check = ['cms', '-verify', '-inform', 'DER', '-in', at('cms'), '-content', at('message'), '-binary']
    const checked = await run('openssl', [...check, '-CAfile', at('crt'), '-purpose', 'any'])

    const theirs = await readFile(at('theirs'))
    await rm(folder, { recursive: true })
    expect(cms.equals(theirs)).toBe(true)
    expect(checked.stderr).toContain('Verification successful')
  })

  test('carries the certificates that vouch for the one that signs', async () => {
    const other = await makeSigningCertificate({ name: 'Authority', at: start, serial: '11'.repeat(15) })
    const chained = { ...material, certificate: material.certificate + other.certificate }

    const { cms } = partsOf(await rdpSigner(chained).sign(plain))

    expect(cms.includes(new X509Certificate(material.certificate).raw)).toBe(true)
    expect(cms.includes(new X509Certificate(other.certificate).raw)).toBe(true)
  })
})

test('a certificate that was made is good for signing code, from the day before on', () => {
  const made = new X509Certificate(material.certificate)

  expect(made.verify(made.publicKey)).toBe(true)
  expect(made.keyUsage).toEqual(['1.3.6.1.5.5.7.3.3', '1.3.6.1.5.5.7.3.1'])
  expect(Date.parse(made.validFrom)).toBeLessThan(Date.parse(start))
})

test.each([
  ['no certificate', () => ({ ...material, certificate: '' }), 'no certificate'],
  [
    'the key of another',
    async () => ({ ...material, key: (await other()).key }),
    'not that of the certificate',
  ],
])('%s cannot sign', async (_, broken, why) => {
  const given = await broken()

  expect(() => rdpSigner(given)).toThrow(why)
})

function other(): Promise<SigningMaterial> {
  return makeSigningCertificate({ name: 'Other', at: start, serial: '22'.repeat(15) })
}

describe('the token of a gateway', () => {
  const key = 'thisisasessionkeyreplacethisjetz'
  const reader = { user: 'alice', address: '192.0.2.7', now: start, until: '2026-03-02T10:00:00.000Z' }
  const claimsOf = (token: string): unknown =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

  test('admits one person from one place to the router until their lease ends', () => {
    const grant = { user: 'alice', server: 'rdp.example.org:3389', clientAddress: '192.0.2.7' }

    const token = gatewayToken(key, { ...grant, now: start, until: reader.until })

    expect(claimsOf(token)).toMatchObject({
      iss: 'rdpgw',
      aud: ['rdpgw-paa'],
      sub: 'alice',
      remoteServer: 'rdp.example.org:3389',
      clientIp: '192.0.2.7',
      exp: Date.parse(reader.until) / 1000,
    })
  })

  test('goes into files that name a gateway, beside what is signed, and into no others', async () => {
    const signer = rdpSigner(material)
    const finish = rdpFinish({ signer, gateway: { key, bindClient: false }, server: 'rdp.example.org:3389' })
    const through = plain.replace(
      'gatewayusagemethod:i:0\r\n',
      'gatewayhostname:s:gw.example.org:443\r\ngatewayusagemethod:i:1\r\n',
    )

    const [withGateway, without] = [await finish(through, reader), await finish(plain, reader)]

    const [, token = ''] = /^gatewayaccesstoken:s:(.*)\r$/m.exec(withGateway) ?? []
    expect(claimsOf(token)).not.toHaveProperty('clientIp')
    expect(/^signscope:s:(.*)$/m.exec(withGateway)?.[1]).toContain(',GatewayHostname,GatewayUsageMethod,')
    expect(without).not.toContain('gatewayaccesstoken')
  })
})
