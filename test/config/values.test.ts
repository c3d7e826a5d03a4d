import { describe, expect, test } from 'vitest'
import { changed, faultsOf } from './example.ts'

describe('a key or a value that is wrong in itself', () => {
  test.each([
    // What YAML itself refuses.
    [
      'currency: CHF',
      'currency: CHF\n  currency: EUR',
      '7: site.currency: stands there already, should be there once',
    ],
    ['operator: [operators]', 'operator: *nobody', '24: file: names *nobody, should come after &nobody'],
    [
      'password: olga',
      'password: olga, email2: x',
      '21: identity.local[3].email2: is not a key that is known here, perhaps email is meant',
    ],
    [
      'name: CERN',
      'name: @CERN',
      '4: file: is not YAML: plain value cannot start with reserved character @, should be YAML 1.2',
    ],
    // Keys.
    [
      '  # signing:',
      '  publicAdress:',
      '13: rdp.publicAdress: is not a key that is known here, perhaps publicAddress is meant',
    ],
    [
      '{ kind: lowdb,',
      '{ colour: red, kind: lowdb,',
      '14: store.colour: is not a key that is known here, known are kind and path',
    ],
    [
      'memory: 1 }',
      'memory: 1, disk: 1 }',
      '32: hypervisors[0].overcommit.disk: is not a key that is known here, known are cpus and memory',
    ],
    [' grace: P7D,', '', '54: policies.machines.grace: is missing, should be text'],
    ['  currency: CHF\n', '', '3: site.currency: is missing, should be text'],
    // Values, by the domain that they belong to.
    [
      'timezone: Europe/Zurich',
      'timezone: Europe/Zurch',
      '5: site.timezone: is "Europe/Zurch", perhaps Europe/Zurich is meant',
    ],
    [
      'timezone: Europe/Zurich',
      'timezone: here',
      '5: site.timezone: is "here", should be a time zone such as Europe/Zurich',
    ],
    [
      'currency: CHF',
      'currency: francs',
      '6: site.currency: is "francs", should be a currency code of ISO 4217 such as CHF',
    ],
    [
      'http://127.0.0.1:8080',
      'ftp://example.org',
      '7: site.publicUrl: is "ftp://example.org", should be where browsers reach the site, such as https://desktops.example.org',
    ],
    [
      'http://127.0.0.1:8080',
      'https://me@example.org',
      '7: site.publicUrl: is "https://me@example.org", should be where browsers reach the site, such as https://desktops.example.org',
    ],
    ['port: 8080', 'port: 80800', '8: http.port: is 80800, should be at most 65535'],
    ['port: 8080', 'port: "8080"', '8: http.port: is "8080", should be a number'],
    [
      'publicAddress: 127.0.0.1:3389',
      'publicAddress: 127.0.0.1',
      '12: rdp.publicAddress: is "127.0.0.1", should be a host and a port, such as desktops.example.org:3389',
    ],
    ['kind: lowdb', 'kind: sqlite', '14: store.kind: is "sqlite", should be lowdb or postgres'],
    [
      'email: bob@example.org',
      'email: bob',
      '19: identity.local[1].email: is "bob", should be an e-mail address',
    ],
    [
      'cpus: 2, memoryGb: 8',
      'cpus: 0, memoryGb: 8',
      '34: hypervisors[0].hosts[0].cpus: is 0, should be more than 0',
    ],
    [
      'stage: PT0.2S',
      'server: 10.0.0.1:7070 #',
      '30: hypervisors[0].server: is "10.0.0.1:7070", should be the path of a socket, such as ./wod.sock, or a port of this machine, such as 127.0.0.1:7070',
    ],
    ['os: linux', 'os: linus', '40: templates[0].os: is "linus", should be linux, windows or other'],
    ['base: "0.960"', 'base: 0.960', '46: tariffs[0].base: is 0.96, should be text in quotes'],
    [
      'base: "0.960"',
      'base: "0.9605"',
      '46: tariffs[0].base: is "0.9605", should be an amount with at most three decimals in quotes, such as "0.685"',
    ],
    [
      'from: 2009-01-01',
      'from: 2009-02-29',
      '46: tariffs[0].from: is "2009-02-29", should be a day, such as 2026-01-31',
    ],
    [
      'code: T-1042',
      'code: t 1042',
      '49: budgets[0].code: is "t 1042", should be a budget code: capital letters, digits and dashes',
    ],
    [
      'holders: [bob]',
      'holders: []',
      '49: budgets[0].holders: is an empty list, should be a list of at least 1',
    ],
    [
      'expire: P3D',
      'expire: 3 days',
      '53: policies.approvals.expire: is "3 days", should be an ISO 8601 duration, such as P30D, PT8H or PT15M',
    ],
    ['kind: shared', 'kind: common', '59: pools[1].kind: is "common", should be persistent or shared'],
    [
      'mac: "00:0b:3c:00:00:12"',
      'mac: "00-0b"',
      '63: terminals[1].mac: is "00-0b", should be a MAC address such as "00:0b:3c:00:00:11"',
    ],
    ['web: true', 'web: yes', '67: chat.web: is "yes", should be true or false'],
    ['auditor: []', 'auditor:', '25: roles.auditor: is empty, should be a list'],
    [
      'title: SLC5 x64',
      'title: "SLC5\\nx64"',
      '40: templates[0].title: holds a line end or another control character, should be one line of text',
    ],
    // The pattern of names.
    [
      '"^[a-z][a-z0-9-]{1,14}$"',
      '"^[a-z$"',
      '55: policies.names: is not a regular expression, should be one, such as ^[a-z][a-z0-9-]{1,14}$',
    ],
    [
      '"^[a-z][a-z0-9-]{1,14}$"',
      '"[a-z]+"',
      '55: policies.names: may match only a part of a name, should begin with ^ and end with $',
    ],
    [
      '"^[a-z][a-z0-9-]{1,14}$"',
      '"^([a-z]+)*$"',
      '55: policies.names: repeats a group that itself repeats or chooses, and may take for ever, should repeat a character class instead, such as [a-z0-9-]{0,30}',
    ],
  ])('%s → %s', (from, to, expected) => {
    const faults = faultsOf(changed([from, to]))

    expect(faults).toEqual([expected])
  })
})
