import { expect, test } from 'vitest'
import { readTerminals } from '../../broker/registered-terminal.ts'

test('a list is read by the names of its columns, whatever their order and whoever wrote the MACs', () => {
  const { rows, refused } = readTerminals(
    '\ufeffName,MAC,Pool,location\r\nlobby-2,000B.3C00.0014,public,"Building 40, hall"\r\nLobby-3,00-0b-3c-00-00-15,,\r\n',
  )

  expect(refused).toEqual([])
  expect(rows.map(({ fields }) => fields)).toEqual([
    {
      name: 'lobby-2',
      mac: '00:0b:3c:00:00:14',
      kind: 'other',
      pool: 'public',
      location: 'Building 40, hall',
    },
    { name: 'lobby-3', mac: '00:0b:3c:00:00:15', kind: 'other' },
  ])
})

test.each([
  ['no MAC', 'mac,name\n,lobby-2', 2],
  ['something else for a MAC', 'mac,name\nlobby,lobby-2', 2],
  ['a name that no shell should see', 'mac,name\n00:0b:3c:00:00:14,$(x)', 2],
  ['a kind that is none', 'mac,name,kind\n00:0b:3c:00:00:14,a,toaster', 2],
  ['a control character', 'mac,name,location\n00:0b:3c:00:00:14,a,"x\ty"', 2],
  ['no list at all', 'mac,name\n"x', 1],
])('%s is given back with its line', (_, csv, line) => {
  const { rows, refused } = readTerminals(csv)

  expect(rows).toEqual([])
  expect(refused.map((one) => one.line)).toEqual([line])
})
