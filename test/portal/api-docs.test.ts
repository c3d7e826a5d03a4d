import { describe, expect, test } from 'vitest'
import { openapiDocument } from '../../src/api/openapi.ts'
import { catalogue } from '../../src/operations/catalogue.ts'
import { curlOf } from '../../src/portal/pages/api-docs.tsx'
import { readCalls } from '../../src/portal/pages/api-reading.ts'

const site = { name: 'Demo', publicUrl: 'http://jackdaw.example' }
const calls = readCalls(openapiDocument(catalogue, site))
const call = (id: string) => calls.find((known) => known.id === id)

describe('the reference of the API', () => {
  test('has every operation of the catalogue that has an address', () => {
    const expected = catalogue.filter(({ http }) => http !== null).map(({ name }) => name)

    expect(calls.map(({ id }) => id).sort()).toEqual(expected.sort())
  })

  test('says of each field where it stands, its type and whether it is needed', () => {
    expect(call('deny-request')?.fields).toContainEqual({
      name: 'id',
      where: 'path',
      type: 'text',
      required: true,
    })
    expect(call('make-quote')?.fields).toContainEqual({
      name: 'template',
      where: 'body',
      type: 'text',
      required: true,
    })
  })

  test('says what is answered, problems included', () => {
    const answers = call('open-desktop')?.answers ?? []

    expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining(['200', '202', '4XX']))
    expect(answers[0]?.types).toContain('application/x-rdp')
  })

  test('shows each call on a command line, with a token where one is needed', () => {
    const [open, closed] = [call('open-session'), call('start-machine')]

    expect(open === undefined ? '' : curlOf(open, 'http://x')).not.toContain('Authorization')
    expect(closed === undefined ? '' : curlOf(closed, 'http://x')).toBe(
      "curl -X POST http://x/machines/NAME/start \\\n  -H 'Authorization: Bearer TOKEN'",
    )
  })
})
