import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../service/process.ts'

const run = promisify(execFile)

/** A real OpenLDAP of its own, over TLS, with people and groups from an LDIF. */
export interface Slapd {
  url: string
  plainUrl: string
  baseDn: string
  bindDn: string
  bindPassword: string
  /** The certificate to trust. */
  ca: string
  stop(): Promise<void>
}

export interface SlapdPerson {
  user: string
  name: string
  email?: string
  password: string
  /** What stands in `description`. */
  note?: string
}

const baseDn = 'dc=lab,dc=test'

export const dnOf = (user: string): string => `uid=${user},ou=people,${baseDn}`
export const groupDnOf = (group: string): string => `cn=${group},ou=groups,${baseDn}`

/** @param groups each with the DNs of its members. */
export async function startSlapd(
  program: string,
  people: readonly SlapdPerson[],
  groups: Readonly<Record<string, readonly string[]>>,
): Promise<Slapd> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-slapd-'))
  const [port, plainPort] = [await freePort(), await freePort()]
  await Promise.all(['config', 'db'].map((name) => mkdir(join(folder, name))))
  const [key, ca] = [join(folder, 'key.pem'), join(folder, 'crt.pem')]
  await selfSigned(key, ca)
  await writeFile(join(folder, 'init.ldif'), configuration(folder, key, ca))
  await writeFile(join(folder, 'data.ldif'), content(people, groups))
  const add = program.replace(/slapd$/, 'slapadd')
  await run(add, ['-n', '0', '-F', join(folder, 'config'), '-l', join(folder, 'init.ldif')])
  await run(add, ['-n', '1', '-F', join(folder, 'config'), '-l', join(folder, 'data.ldif')])
  const urls = `ldaps://127.0.0.1:${port}/ ldap://127.0.0.1:${plainPort}/`
  const child = spawn(program, ['-d', '0', '-F', join(folder, 'config'), '-h', urls], { stdio: 'ignore' })
  await listening(port)
  return {
    ...{ baseDn, ca },
    url: `ldaps://127.0.0.1:${port}`,
    plainUrl: `ldap://127.0.0.1:${plainPort}`,
    bindDn: `cn=jackdaw,${baseDn}`,
    bindPassword: 'service-password',
    async stop() {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
      await rm(folder, { recursive: true })
    },
  }
}

/** A certificate for an address that vouches for itself. */
export async function selfSigned(key: string, certificate: string, address = '127.0.0.1'): Promise<void> {
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=directory']
  const names = ['-addext', `subjectAltName=IP:${address}`]
  await run('openssl', [...request, ...names, '-keyout', key, '-out', certificate])
}

/** Resolves once something listens on a port. */
export async function listening(port: number, deadlineMillis = 60_000): Promise<void> {
  const deadline = Date.now() + deadlineMillis
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    if (Date.now() > deadline) throw new Error(`nothing listens on port ${port}`)
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

function configuration(folder: string, key: string, certificate: string): string {
  return `dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: ${folder}/slapd.pid
olcTLSCertificateFile: ${certificate}
olcTLSCertificateKeyFile: ${key}

dn: cn=module{0},cn=config
objectClass: olcModuleList
cn: module{0}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif
include: file:///etc/ldap/schema/cosine.ldif
include: file:///etc/ldap/schema/nis.ldif
include: file:///etc/ldap/schema/inetorgperson.ldif

dn: olcDatabase={-1}frontend,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {-1}frontend
olcSizeLimit: 1000

dn: olcDatabase={1}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {1}mdb
olcSuffix: ${baseDn}
olcDbDirectory: ${folder}/db
olcDbMaxSize: 104857600
olcDbIndex: objectClass,uid,member eq
olcAccess: to attrs=userPassword by anonymous auth by * none
olcAccess: to * by users read by * none
`
}

function content(
  people: readonly SlapdPerson[],
  groups: Readonly<Record<string, readonly string[]>>,
): string {
  const secret = (password: string) => `userPassword:: ${Buffer.from(password).toString('base64')}`
  const persons = people.map(({ user, name, email, password, note }) =>
    [
      ...[`dn: ${dnOf(user)}`, 'objectClass: inetOrgPerson', `uid: ${user}`, `cn: ${name}`, `sn: ${name}`],
      ...(email === undefined ? [] : [`mail: ${email}`]),
      ...(note === undefined ? [] : [`description: ${note}`]),
      secret(password),
    ].join('\n'),
  )
  const sets = Object.entries(groups).map(([name, members]) =>
    [
      ...[`dn: ${groupDnOf(name)}`, 'objectClass: groupOfNames', `cn: ${name}`],
      ...members.map((member) => `member: ${member}`),
    ].join('\n'),
  )
  const units = ['people', 'groups'].map(
    (unit) => `dn: ou=${unit},${baseDn}\nobjectClass: organizationalUnit\nou: ${unit}`,
  )
  const top = `dn: ${baseDn}\nobjectClass: dcObject\nobjectClass: organization\no: Lab\ndc: lab`
  const service = `dn: cn=jackdaw,${baseDn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: jackdaw\n${secret('service-password')}`
  return `${[top, service, ...units, ...persons, ...sets].join('\n\n')}\n`
}
