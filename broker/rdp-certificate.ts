import { createPublicKey, generateKeyPair, sign } from 'node:crypto'
import { promisify } from 'node:util'
import * as asn1js from 'asn1js'
import { AlgorithmIdentifier, AttributeTypeAndValue, Certificate, Extension, ExtKeyUsage } from 'pkijs'
import { type Instant, plusMillis } from '../src/base/clock.ts'
import type { SigningMaterial } from './rdp-signer.ts'

const oid = {
  commonName: '2.5.4.3',
  extendedKeyUsage: '2.5.29.37',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  serverAuthentication: '1.3.6.1.5.5.7.3.1',
  sha256WithRsa: '1.2.840.113549.1.1.11',
} as const

const lifeMillis = 10 * 365 * 86_400_000
/** Terminals whose clock is behind must not find it too young. */
const earlierMillis = 86_400_000

/**
 * A certificate for signing RDP files, vouched for by nobody but itself: a site's computers are told to trust it, or it
 * is replaced by one of the site's own authority. mstsc wants code signing or server authentication among its uses.
 * @param facts.serial 16 bytes of chance, in hex.
 */
export async function makeSigningCertificate(facts: {
  name: string
  at: Instant
  serial: string
}): Promise<SigningMaterial> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const certificate = new Certificate()
  certificate.version = 2
  certificate.serialNumber = new asn1js.Integer({ valueHex: bytes(Buffer.from(`01${facts.serial}`, 'hex')) })
  for (const side of [certificate.subject, certificate.issuer]) {
    const value = new asn1js.Utf8String({ value: facts.name })
    side.typesAndValues.push(new AttributeTypeAndValue({ type: oid.commonName, value }))
  }
  certificate.notBefore.value = new Date(plusMillis(facts.at, -earlierMillis))
  certificate.notAfter.value = new Date(plusMillis(facts.at, lifeMillis))
  const uses = new ExtKeyUsage({ keyPurposes: [oid.codeSigning, oid.serverAuthentication] })
  certificate.extensions = [
    new Extension({
      extnID: oid.extendedKeyUsage,
      critical: false,
      extnValue: uses.toSchema().toBER(false),
    }),
  ]
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  certificate.subjectPublicKeyInfo.fromSchema(asn1js.fromBER(bytes(spki)).result)
  certificate.signature = sha256WithRsa()
  certificate.signatureAlgorithm = sha256WithRsa()
  certificate.tbsView = new Uint8Array(certificate.encodeTBS().toBER())
  const signature = sign('sha256', certificate.tbsView, privateKey)
  certificate.signatureValue = new asn1js.BitString({ valueHex: bytes(signature) })
  return {
    certificate: pem('CERTIFICATE', Buffer.from(certificate.toSchema(true).toBER())),
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  }
}

function sha256WithRsa(): AlgorithmIdentifier {
  return new AlgorithmIdentifier({
    algorithmId: oid.sha256WithRsa,
    algorithmParams: new asn1js.Null(),
  })
}

function bytes(buffer: Uint8Array): ArrayBuffer {
  return new Uint8Array(buffer).buffer
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
