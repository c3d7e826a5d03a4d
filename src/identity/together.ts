import type { Directory } from './directory.ts'

/** Two directories as one. Whom the first knows is the first one's: an account of that name in the second is not asked. */
export function together(first: Directory, second: Directory): Directory {
  return {
    async authenticate(user, password, signal) {
      const known = await first.find(user)
      return (known === undefined ? second : first).authenticate(user, password, signal)
    },
    find: async (user) => (await first.find(user)) ?? second.find(user),
    async members(name) {
      const [here, there] = await Promise.all([first.members(name), second.members(name)])
      const shadowed = await Promise.all(there.map(({ user }) => first.find(user)))
      return [...here, ...there.filter((_, index) => shadowed[index] === undefined)]
    },
    async close() {
      await Promise.all([first.close(), second.close()])
    },
  }
}
