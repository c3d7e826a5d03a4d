import type { Directory } from './directory.ts'
import type { Person } from './person.ts'

/** Two directories as one. Whom the first knows is the first one's: an account of that name in the second is not asked. */
export function together(first: Directory, second: Directory): Directory {
  async function inBoth(ask: (directory: Directory) => Promise<Person[]>): Promise<Person[]> {
    const [here, there] = await Promise.all([ask(first), ask(second)])
    const shadowed = await Promise.all(there.map(({ user }) => first.find(user)))
    return [...here, ...there.filter((_, index) => shadowed[index] === undefined)]
  }

  return {
    async authenticate(user, password, signal) {
      const known = await first.find(user)
      return (known === undefined ? second : first).authenticate(user, password, signal)
    },
    find: async (user) => (await first.find(user)) ?? second.find(user),
    members: (name) => inBoth((directory) => directory.members(name)),
    withEmail: (email) => inBoth((directory) => directory.withEmail(email)),
    withAccount: (platform, account) => inBoth((directory) => directory.withAccount(platform, account)),
    async accountsOf(user) {
      const known = await first.find(user)
      return (known === undefined ? second : first).accountsOf(user)
    },
    async keysOf(user) {
      const known = await first.find(user)
      return (known === undefined ? second : first).keysOf(user)
    },
    async close() {
      await Promise.all([first.close(), second.close()])
    },
  }
}
