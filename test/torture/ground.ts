import { openCluster } from '../store/cluster.ts'
import type { Ground } from './rounds.ts'

/** A PostgreSQL of its own, which crashes now and then as the service does. */
export async function postgresGround(): Promise<Ground> {
  const cluster = await openCluster()
  return {
    name: 'postgres',
    // Soon, so that what a killed process had in hand goes on in the next round.
    edit: (yaml) =>
      yaml.replace(/store: \{.*\}/, `store: { kind: postgres, url: '${cluster.url}', takeover: PT3S }`),
    crash: async () => {
      await cluster.stop('immediate')
      await cluster.start()
    },
    dispose: () => cluster.dispose(),
  }
}
