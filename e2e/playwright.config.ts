import { defineConfig } from '@playwright/test'

/** Timing is measured against real playback: two tests at a time, which mostly wait, and a second look at none. */
export default defineConfig({
  testDir: '.',
  testMatch: ['tests/**/*.spec.ts', 'links/**/*.spec.ts'],
  outputDir: '../test-results',
  workers: 2,
  fullyParallel: true,
  retries: 0,
  timeout: 60_000,
  forbidOnly: true,
  reporter: [['list']],
})
