import { defineConfig } from '@playwright/test'

/** Compared with a plain player's clock, to a fraction of a second: nothing else may run beside these. */
const TIMED = ['tests/live.spec.ts', 'tests/low-latency.spec.ts']

/** Tests mostly wait, so that two run at a time, and a second look is given to none. */
export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
  workers: 2,
  fullyParallel: true,
  retries: 0,
  timeout: 60_000,
  forbidOnly: true,
  reporter: [['list']],
  projects: [
    { name: 'together', testMatch: ['tests/**/*.spec.ts', 'links/**/*.spec.ts'], testIgnore: TIMED },
    { name: 'alone', testMatch: TIMED, workers: 1, fullyParallel: false, dependencies: ['together'] },
  ],
})
