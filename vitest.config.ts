import { defineConfig } from 'vitest/config'

/** Cross-package imports resolve to built output: `npm run build` comes first. */
export default defineConfig({
  test: {
    include: ['*/src/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 20_000,
    pool: 'forks',
    // Many files wait for processes and sockets, so that two fill two cores better than the default, one.
    maxWorkers: 2,
  },
})
