import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reconnectAnswer } from '../../../broker/profiles/reconnect.ts'
import { askedVersion, feedType, feedVersions, webFeed } from '../../../broker/profiles/webfeed.ts'
import { escapeXml } from '../../../src/base/xml.ts'
import { hasControl } from '../../../src/base/text.ts'
import { start } from '../samples.ts'
import { feedSchema, lint, xmllint } from './xml.ts'

const remedy = xmllint.available ? '' : ` (missing: ${xmllint.remedy})`
const site = { name: 'CERN & "friends" <IT>', publicUrl: 'https://desktops.example.org' }
const pools = [
  { name: 'public', title: "Everybody's <desktop>" },
  { name: 'developers', title: 'Developers & co' },
]

describe.runIf(xmllint.available)(`beside libxml2${remedy}`, () => {
  test.each(feedVersions)('a feed of version %s keeps to the schema', async (version) => {
    const feed = webFeed({ site, pools, now: start }, version)

    const { said } = await lint(feed, '--noout', '--schema', feedSchema)

    expect(said).toBe('')
    expect(feed).toContain(`SchemaVersion="${version}"`)
  })

  test('a feed of nothing keeps to it too', async () => {
    const { said } = await lint(
      webFeed({ site, pools: [], now: start }, '2.1'),
      '--noout',
      '--schema',
      feedSchema,
    )

    expect(said).toBe('')
  })

  test('the schema refuses a reference that leads nowhere', async () => {
    const feed = webFeed({ site, pools, now: start }, '1.1').replace('Ref="desktops', 'Ref="elsewhere')

    const { said } = await lint(feed, '--noout', '--schema', feedSchema)

    expect(said).toContain("No match found for key-sequence ['elsewhere.example.org']")
  })

  test('sessions come back as the files that they are, line ends and all', async () => {
    const rdp = 'full address:s:rdp.example.org:3389\r\nusername:s:<a&b>\r\n'

    const answer = reconnectAnswer([rdp, rdp])

    const { found } = await lint(answer, '--xpath', 'string(//*[local-name()="rdpStream"][1])')
    expect(found).toBe(`${rdp}\n`)
    expect(answer.startsWith('<?xml ')).toBe(true)
    expect(answer.match(/<rct>VMREMOTEDESKTOP<\/rct>/g)).toHaveLength(2)
  })
})

test('whatever a pool is called, it stays within its attribute, or is refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (title) => {
      if (hasControl(title) || /[\ufffe\uffff]/.test(title)) {
        expect(() => escapeXml(title)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
        return
      }
      const escaped = escapeXml(title)
      expect(escaped).not.toMatch(/[<>"']/)
      expect(escaped.replace(/&(amp|lt|gt|quot|apos);/g, '')).not.toContain('&')
    }),
  )
})

test('ids are the same each time, and those of another site are others', () => {
  const idsOf = (publicUrl: string, now: string) =>
    webFeed({ site: { ...site, publicUrl }, pools, now }, '2.0').match(/<Resource ID="[^"]*"/g)

  const today = idsOf(site.publicUrl, start)

  expect(idsOf(site.publicUrl, '2027-01-01T00:00:00.000Z')).toEqual(today)
  expect(idsOf('https://other.example.org', start)).not.toEqual(today)
})

test.each([
  ['application/x-msts-radc+xml; radc_schema_version=2.0', '2.0'],
  ['application/x-msts-radc+xml;radc_schema_version=2.1, text/xml', '2.1'],
  ['application/x-msts-radc+xml; radc_schema_version=9.9', '1.1'],
  ['text/xml', '1.1'],
  [undefined, '1.1'],
])('who accepts %s is given version %s', (accept, version) => {
  expect(askedVersion(accept)).toBe(version)
})

test('only the newer versions have a type of their own', () => {
  expect(feedVersions.map(feedType)).toEqual([
    'text/xml; charset=utf-8',
    'application/x-msts-radc+xml; charset=utf-8',
    'application/x-msts-radc+xml; charset=utf-8',
  ])
})
