import { defineConfig } from 'vitest/config'

/** Cross-package imports resolve to built output: `npm run build` comes first. */
export default defineConfig({
  test: {
    include: ['*/src/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 20_000,
    pool: 'forks',
  },
})
