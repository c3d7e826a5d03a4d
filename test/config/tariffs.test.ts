import { expect, test } from 'vitest'
import { changed, faultsOf } from './example.ts'

const standard = '  - { name: standard, from: 2009-01-01'
const another = (facts: string): readonly [string, string] => [
  '\nbudgets:',
  `  - { freeDays: 0, base: "1.00", perGb: "0.50", perCpu: "0.50", ${facts} }\n\nbudgets:`,
]

test.each([
  ['for a class', [another('name: desk, from: 2009-01-01, for: [desktops]')], []],
  [
    'for two classes, in any order of days among classes',
    [
      another('name: b, from: 2012-01-01, for: [central]'),
      another('name: c, from: 2010-01-01, for: [desktops]'),
    ],
    [],
  ],
  [
    'of one class from one day',
    [
      another('name: b, from: 2012-01-01, for: [central, desktops]'),
      another('name: c, from: 2012-01-01, for: [desktops]'),
    ],
    ['48: tariffs[2].from: is 2012-01-01, as in the tariff before it for desktops, should be a later day'],
  ],
  [
    'of one class in the wrong order',
    [
      another('name: b, from: 2012-01-01, for: [desktops]'),
      another('name: c, from: 2011-01-01, for: [desktops]'),
    ],
    [
      '48: tariffs[2].from: is 2011-01-01, earlier than the tariff before it, tariffs should stand in order of their days',
    ],
  ],
  [
    'of one name from one day',
    [another('name: standard, from: 2009-01-01, for: [desktops]')],
    ['47: tariffs[1].name: is standard from 2009-01-01 a second time, should be a name of its own'],
  ],
  [
    'for no host group',
    [another('name: b, from: 2012-01-01, for: [desktop]')],
    [
      '47: tariffs[1].for[0]: is "desktop", and there is no host group of that name, perhaps desktops is meant',
    ],
  ],
  [
    'that leave a class without any',
    [[standard, '  - { for: [desktops], name: standard, from: 2009-01-01'] as const],
    [
      '34: hypervisors[0].hosts[0].group: is central, which no tariff is for, should have a tariff with for: [central], or there should be one without for',
    ],
  ],
  [
    'that leave out hosts which are only found',
    [
      [standard, '  - { for: [desktops], name: standard, from: 2009-01-01'] as const,
      ['    hosts:\n', '    later:\n'] as const,
    ],
    [
      '28: hypervisors[0].hosts: is missing, should be a list',
      '33: hypervisors[0].later: is not a key that is known here',
      '45: tariffs: are all for some host groups, and a hypervisor finds its hosts itself, should have one without for, which covers the rest',
    ],
  ],
])('tariffs %s', (_what, changes, expected) => {
  const faults = faultsOf(changed(...changes))

  expect(faults).toHaveLength(expected.length)
  for (const [index, text] of expected.entries()) expect(faults[index]).toContain(text)
})
