import { join } from 'node:path'
import { z } from 'zod'
import type { Hypervisor } from '../../src/hypervisors/hypervisor.ts'
import { remoteSimulator } from '../../src/hypervisors/remote-simulator.ts'
import type { Cluster } from '../store/cluster.ts'
import { aSite, freePort, type Running, type TestSite } from './process.ts'

/** One of several processes of a site, with what it listens on. */
export interface Member extends Running {
  /** Who it is in the log and in the database. */
  name: string
  url: string
  rdpPort: number
}

/** A site of several real processes on one PostgreSQL, with one simulated farm for all of them. */
export interface Crew {
  site: TestSite
  members: readonly [Member, Member, Member]
  /** The farm, as any process of the site would see it. */
  farm: Hypervisor
  /** All documents of a collection, as they are in the database. */
  documents<T>(collection: string, shape: z.ZodType<T>): Promise<T[]>
  /** One more process. */
  join(): Promise<Member>
  dispose(): Promise<void>
}

/** How soon the processes of these sites take over from one that is lost. */
const takeover = 'PT3S'

let sites = 0

export async function openCrew(
  cluster: Cluster,
  edit: (yaml: string) => string = (yaml) => yaml,
): Promise<Crew> {
  const database = `crew_${++sites}`
  await cluster.sql(`CREATE DATABASE ${database}`)
  const url = cluster.url.replace(/[^/]*$/, database)
  const site = await aSite((yaml) =>
    edit(yaml)
      .replace(/store: \{.*\}/, `store: { kind: postgres, url: '${url}', takeover: ${takeover} }`)
      .replace('    # server: ./wod.sock', '    server: ./wod.sock #'),
  )
  await site.command('simulate', '--config', site.config)
  const farm = remoteSimulator({ name: 'wod', server: { path: join(site.folder, 'wod.sock') } })
  const enter = async (): Promise<Member> => {
    const [port, rdpPort] = [await freePort(), await freePort()]
    const own = join(site.folder, `own-${port}`)
    const words = ['--http', `127.0.0.1:${port}`, '--rdp', `127.0.0.1:${rdpPort}`, '--data', own]
    const running = await site.start(...words)
    return { ...running, name: nameIn(running.log()), url: `http://127.0.0.1:${port}`, rdpPort }
  }
  return {
    ...{ site, farm, join: enter },
    members: await Promise.all([enter(), enter(), enter()]),
    documents: async (collection, shape) => {
      const rows = await cluster.sql(`SELECT doc FROM jackdaw.${collection} ORDER BY ord`, [], database)
      return rows.map(({ doc }) => shape.parse(doc))
    },
    dispose: async () => {
      await farm.close()
      await site.dispose()
    },
  }
}

const Ready = z.object({ msg: z.literal('ready'), process: z.string() })

function nameIn(log: readonly string[]): string {
  for (const line of log) {
    const ready = Ready.safeParse(JSON.parse(line))
    if (ready.success) return ready.data.process
  }
  throw new Error('it has not said that it is ready')
}
