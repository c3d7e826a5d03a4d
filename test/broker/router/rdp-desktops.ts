import { type ChildProcess, execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../../service/process.ts'
import { makeCertificate, xrdpSettings } from './rdp-lab.ts'

/** A machine with real desktops behind it. */
export interface RealDesktops {
  port: number
  /** The account that people have on it. */
  user: string
  password: string
  /** How many sessions were begun. */
  begun(): Promise<number>
  /** Something is done in the sessions that there are: a window of a colour is opened. */
  work(): Promise<void>
  /** What a clean image does: whatever ran there is gone. */
  reset(): Promise<void>
}

interface LabTools {
  folder: string
  run: (program: string, words: readonly string[]) => ChildProcess
  /** Resolves once something listens there. */
  listening: (port: number) => Promise<number>
  /** What is done before everything is stopped. */
  ending: (() => Promise<void>)[]
  xrdp: string
}

/** Where xrdp looks for what keeps its sessions; it can be told no other. */
const sesmanPort = 3350

/** xrdp with its sessions, for an account that is made for them. */
export async function openDesktops({
  folder,
  run,
  listening,
  ending,
  xrdp,
}: LabTools): Promise<RealDesktops> {
  const execute = promisify(execFile)
  const port = await freePort()
  const home = await mkdtemp(join(tmpdir(), 'rdp-home-'))
  const [user, password] = [`lab${port}`, 'Lab-Pass-1']
  await execute('useradd', ['-M', '-d', home, '-s', '/bin/sh', user])
  await execute('chown', [user, home])
  const change = execute('chpasswd')
  change.child.stdin?.end(`${user}:${password}\n`)
  await change
  const reset = async (): Promise<void> => {
    // It exits with 1 where there was nothing to end.
    await execute('pkill', ['-KILL', '-u', user]).catch(() => undefined)
    await execute('find', leftByScreens(user))
    await rm(join(home, 'work'), { force: true })
  }
  ending.push(async () => {
    await reset()
    await execute('userdel', ['-f', user])
    await rm(home, { recursive: true, force: true })
  })
  await mkdir('/run/xrdp/sockdir', { recursive: true })
  await chmod('/run/xrdp/sockdir', 0o3777)
  const desktop = join(home, 'desktop.sh')
  await writeFile(desktop, desktopScript, { mode: 0o755 })
  const [sesman, ini] = [join(folder, 'sesman.ini'), join(folder, `xrdp-${port}.ini`)]
  // An account of this number may have been here before, and have left its screens' numbers taken.
  await reset()
  await writeFile(sesman, sesmanSettings(desktop, join(folder, 'sesman.log')))
  const { key, certificate } = await makeCertificate(folder)
  const log = join(folder, `xrdp-${port}.log`)
  const settings = xrdpSettings({ security: 'negotiate', encryption: 'none', port, key, certificate, log })
  await writeFile(ini, settings.replace('[Globals]\n', '[Globals]\nautorun=Xorg\n'))
  run('xrdp-sesman', ['-n', '-c', sesman])
  run(xrdp, ['-n', '-c', ini])
  await listening(sesmanPort)
  return {
    port: await listening(port),
    ...{ user, password, reset },
    begun: async () => (await readFile(join(home, 'begun'), 'utf8').catch(() => '')).length,
    work: () => writeFile(join(home, 'work'), ''),
  }
}

/** A screen that is killed leaves its number taken, and sesman tries only so many numbers. */
const leftByScreens = (user: string) => [
  ...['/tmp', '-maxdepth', '2', '-user', user],
  ...['(', '-name', '.X*-lock', '-o', '-path', '/tmp/.X11-unix/X*', ')', '-delete'],
]

/** A session: a blue screen; and an orange one over it, once somebody has worked there. */
const desktopScript = `#!/bin/sh
printf x >> "$HOME/begun"
xterm -bg '#204060' -geometry 300x100+0+0 -e sleep 600 &
while sleep 0.2; do
  test -e "$HOME/work" && exec xterm -bg '#c06020' -geometry 300x100+0+0 -e sleep 600
done
`

function sesmanSettings(desktop: string, log: string): string {
  return `[Globals]
ListenAddress=127.0.0.1
ListenPort=${sesmanPort}
EnableUserWindowManager=false
DefaultWindowManager=${desktop}
[Security]
AllowRootLogin=false
MaxLoginRetry=4
AlwaysGroupCheck=false
[Sessions]
X11DisplayOffset=10
MaxSessions=5
KillDisconnected=false
Policy=Default
[Logging]
LogFile=${log}
LogLevel=INFO
EnableSyslog=false
[Xorg]
param=/usr/lib/xorg/Xorg
param=-config
param=xrdp/xorg.conf
param=-noreset
param=-nolisten
param=tcp
[SessionVariables]
`
}
