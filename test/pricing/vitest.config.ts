import { defineConfig } from 'vitest/config'

/** The tests that mutations of `pricing/` have to be found by: `npm run mutate`. */
export default defineConfig({ test: { include: ['test/pricing/*.test.ts'], environment: 'node' } })
