import { createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto'
import * as asn1js from 'asn1js'
import {
  AlgorithmIdentifier,
  Certificate,
  ContentInfo,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  SignedData,
  SignerInfo,
} from 'pkijs'
import { assert } from '../src/base/errors.ts'
import { signedPart, withSignature } from './rdp-signature.ts'

/** Signs RDP files, so that Windows names the publisher instead of warning of an unknown one. */
export interface RdpSigner {
  /** The signing certificate, to be trusted by the site's computers. PEM. */
  readonly certificate: string
  /** SHA-1 of it in hex: what the policy "TrustedCertThumbprints" takes. */
  readonly thumbprint: string
  /** The signed file. Signing runs off the event loop. */
  sign(rdp: string): Promise<string>
}

/** PEM texts: the signing certificate with those that vouch for it after it, and its RSA key. */
export interface SigningMaterial {
  certificate: string
  key: string
}

const oid = {
  data: '1.2.840.113549.1.7.1',
  sha256: '2.16.840.1.101.3.4.2.1',
  rsa: '1.2.840.113549.1.1.1',
} as const

/**
 * A signer from a certificate (with its chain) and its key.
 * @throws Error when the texts are no certificate and key, the key is not RSA, or they do not belong together.
 */
export function rdpSigner({ certificate, key }: SigningMaterial): RdpSigner {
  const chain = chainOf(certificate)
  const [leaf] = chain
  if (leaf === undefined) throw new Error('there is no certificate in it')
  const privateKey = createPrivateKey(key)
  if (privateKey.asymmetricKeyType !== 'rsa') throw new Error('RDP files are signed with an RSA key')
  if (!leaf.checkPrivateKey(privateKey)) throw new Error('the key is not that of the certificate')
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0
  // The envelope is the same for every file. Its last bytes are the signature itself.
  const envelope = envelopeOf(chain, bits / 8)
  return {
    certificate: leaf.toString(),
    thumbprint: leaf.fingerprint.replaceAll(':', ''),
    async sign(rdp) {
      const part = signedPart(rdp)
      const signature = await signed(part.message, privateKey)
      const cms = Buffer.from(envelope)
      signature.copy(cms, cms.length - signature.length)
      return withSignature(rdp, part, cms)
    },
  }
}

/** PKCS#1 v1.5 with SHA-256, on one of the threads beside the event loop. */
function signed(message: Buffer, key: KeyObject): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign('sha256', message, key, (error, signature) => {
      if (error === null) resolve(signature)
      else reject(error)
    })
  })
}

function chainOf(pem: string): X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return found.map((text) => new X509Certificate(text))
}

/**
 * CMS SignedData (RFC 5652) as rdpsign makes it: detached, one signer by issuer and serial number, no signed attributes,
 * the certificate with its chain, and a signature of zeros that stands at its very end.
 */
function envelopeOf(chain: readonly X509Certificate[], signatureBytes: number): Buffer {
  const certificates = chain.map(({ raw }) => Certificate.fromBER(raw))
  const [leaf] = certificates
  assert(leaf !== undefined, 'a signature has a certificate')
  const signer = new SignerInfo({
    version: 1,
    sid: new IssuerAndSerialNumber({ issuer: leaf.issuer, serialNumber: leaf.serialNumber }),
    digestAlgorithm: algorithm(oid.sha256),
    signatureAlgorithm: algorithm(oid.rsa),
    signature: new asn1js.OctetString({ valueHex: new ArrayBuffer(signatureBytes) }),
  })
  const content = new SignedData({
    version: 1,
    digestAlgorithms: [algorithm(oid.sha256)],
    encapContentInfo: new EncapsulatedContentInfo({ eContentType: oid.data }),
    certificates,
    signerInfos: [signer],
  })
  const info = new ContentInfo({ contentType: ContentInfo.SIGNED_DATA, content: content.toSchema(true) })
  return Buffer.from(info.toSchema().toBER())
}

function algorithm(algorithmId: string): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithmId, algorithmParams: new asn1js.Null() })
}
