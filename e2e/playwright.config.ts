import { defineConfig } from '@playwright/test'

/** Timing is measured against real playback: one test at a time, and a second look at none. */
export default defineConfig({
  testDir: '.',
  testMatch: ['tests/**/*.spec.ts', 'links/**/*.spec.ts'],
  outputDir: '../test-results',
  workers: 1,
  retries: 0,
  timeout: 60_000,
  forbidOnly: true,
  reporter: [['list']],
})
