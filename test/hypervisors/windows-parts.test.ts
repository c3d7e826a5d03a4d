import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { addressOf, foundOn, isOnItsWay, type Machine } from '../../src/hypervisors/hyperv/machine.ts'
import { pngOf565 } from '../../src/hypervisors/hyperv/thumbnail.ts'
import { inOneLine } from '../../src/hypervisors/powershell/failures.ts'
import { gate } from '../../src/hypervisors/powershell/gate.ts'
import { oneLine } from '../../src/hypervisors/powershell/script.ts'
import { hyperVCmdlets } from '../fakes/windows/hyperv-cmdlets.ts'
import { hyperVWorld } from '../fakes/windows/hyperv-world.ts'
import { core, interpret } from '../fakes/windows/interpret.ts'
import { PsError } from '../fakes/windows/values.ts'

const never = new AbortController().signal

describe('a gate', () => {
  test('lets the next one in when one leaves, in the order in which they came', async () => {
    const turns = gate(1)
    const order: string[] = []
    const leave = await turns.enter(never)
    const waiting = ['second', 'third'].map(async (name) => {
      const out = await turns.enter(never)
      order.push(name)
      out()
    })

    leave()
    await Promise.all(waiting)

    expect(order).toEqual(['second', 'third'])
  })

  test('who gives up while waiting takes nobody’s turn', async () => {
    const turns = gate(1)
    const stop = new AbortController()
    const reason = new Error('nobody waits any more')
    const leave = await turns.enter(never)
    const given = turns.enter(stop.signal)
    const next = turns.enter(never)

    stop.abort(reason)
    leave()

    await expect(given).rejects.toBe(reason)
    await expect(next).resolves.toBeTypeOf('function')
  })
})

test('a picture in RGB 565 becomes a PNG of the same colours', () => {
  const dots = [0xf800, 0x07e0, 0x001f, 0xffff]
  const raw = Buffer.alloc(8)
  dots.forEach((dot, index) => raw.writeUInt16LE(dot, index * 2))

  const png = Buffer.from(pngOf565(raw, { width: 2, height: 2 }))

  const at = png.indexOf('IDAT')
  const rows = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)))
  expect([...rows]).toEqual([0, 255, 0, 0, 0, 255, 0, 0, 0, 0, 255, 255, 255, 255])
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([2, 2])
})

test.each([
  ['Running', 'running', false],
  ['RunningCritical', 'running', false],
  ['Off', 'stopped', false],
  ['OffCritical', 'stopped', false],
  ['Saved', 'saved', false],
  ['FastSaved', 'saved', false],
  ['Paused', 'paused', false],
  ['PausedCritical', 'paused', false],
  ['Starting', 'running', true],
  ['Stopping', 'running', true],
  ['Saving', 'running', true],
  ['ForceShutdown', 'running', true],
  ['Other', 'unknown', false],
])('the state %s of Hyper-V is %s', (state, expected, isMoving) => {
  const machine: Machine = {
    ...{
      id: '8b449ef3-fcc6-468a-bef3-a622c664e105',
      name: 'a',
      notes: '',
      heartbeat: '',
      cpus: 1,
      memory: 1,
    },
    ...{ state, clustered: false, addresses: [] },
  }

  expect(foundOn('hv1', machine).power).toBe(expected)
  expect(isOnItsWay(state)).toBe(isMoving)
})

test.each([
  [['fe80::1', '169.254.3.4', '10.1.2.3'], '10.1.2.3'],
  [['fe80::1', '2001:db8::7'], '2001:db8::7'],
  [['169.254.3.4'], null],
  [[], null],
])('of the addresses %j, %s is shown', (addresses, expected) => {
  expect(addressOf(addresses)).toBe(expected)
})

test.each(["it's", 'ü', '\u2028', '\u0000', '$(Get-VM)', '😀'])(
  'the parameter %j goes as one line of ASCII and is the same when it is read',
  (text) => {
    const line = oneLine({ text })

    expect(line).toMatch(/^[\x20-\x7e]+\n$/)
    expect(JSON.parse(line)).toEqual({ text })
  },
)

test('what Windows says is told in one line', () => {
  expect(inOneLine('Zugriff\r\nverweigert.\u0007 ')).toBe('Zugriff verweigert.')
})

describe('the stand-in of PowerShell', () => {
  const run = (text: string, parameters: object = {}) => {
    const folder = join(tmpdir(), 'jackdaw-never-made')
    const world = hyperVWorld(folder, ['hv1'])
    const cmdlets = new Map([...core, ...hyperVCmdlets(world, world.computer('hv1'))])
    const refuse = (): never => {
      throw new Error('nothing is written here')
    }
    const sleep = () => Promise.resolve()
    const context = { signal: never, sleep, files: { write: refuse }, program: refuse, tell: refuse }
    return interpret(text, parameters, cmdlets, context)
  }

  test.each([
    ['a parameter that the cmdlet does not have', 'Get-VM -Nickname 7', 'NamedParameterNotFound'],
    [
      'parameters of two sets',
      'New-VHD -Path x -ParentPath y -SizeBytes 7 -Dynamic',
      'AmbiguousParameterSet',
    ],
    ['a set without what it must have', 'New-VHD -Path x', 'AmbiguousParameterSet'],
    ['a cmdlet that is not there', 'Destroy-VM', 'CommandNotFoundException'],
    ['a machine that is not there', 'Get-VM -Id 7', 'InvalidParameter'],
    ['nothing in the place of a machine', 'Start-VM -VM $null', 'ParameterBindingValidationException'],
  ])('refuses %s, as the real one would', async (_what, text, id) => {
    const error: unknown = await run(text).catch((thrown: unknown) => thrown)

    expect(error instanceof PsError ? error.id.split(',')[0] : error).toBe(id)
  })

  test.each([
    ['a variable that was never set', '$data=$nobody', /never set/],
    ['a property that is not there', '$h=Get-VMHost\n$data=$h.Colour', /no property/],
    ['a state as a number', '$data=Get-VMHost', /choose properties/],
    ['text that is no PowerShell', 'if(', /ParserError/],
  ])('stops at %s', async (_what, text, message) => {
    await expect(run(text)).rejects.toThrow(message)
  })

  test('does what the words say', async () => {
    const text = `
$rows=@()
foreach($n in @($p.list | Where-Object {$_.size -gt 1 -and $_.name -like 'b*'})){$rows+=@{name=$n.name;twice=[int]$n.size*2}}
try{throw ('no '+$p.list.Count)}catch{$rows+=[string]$_.Exception.Message}
if(-not $rows[0].absent){$data=@($rows)}else{$data='never'}`
    const list = [1, 2, 3].map((size) => ({ size, name: `b${size}` }))

    expect(await run(text, { list })).toEqual([{ name: 'b2', twice: 4 }, { name: 'b3', twice: 6 }, 'no 3'])
  })
})
