import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { ROOT } from './paths.mjs'

/**
 * How a runner went, and the names of what failed.
 *
 * @typedef {{ passed: number, failed: number, failures: string[] }} Tally
 */

/**
 * Counts a vitest JSON report. A file that could not be loaded is one failure, and so is a runner that
 * failed without a failed test.
 *
 * @param {string} file
 * @param {number} exitCode the runner's
 * @returns {Promise<Tally>}
 */
export async function tallyVitest(file, exitCode) {
  const report = await readJson(file)
  const files = report?.testResults ?? []
  const failures = files
    .filter((entry) => entry.status === 'failed')
    .flatMap((entry) => {
      const failed = entry.assertionResults.filter((test) => test.status === 'failed')
      const name = relative(ROOT, entry.name)
      return failed.length === 0 ? [name] : failed.map((test) => `${name} › ${test.fullName}`)
    })
  return withCrash('vitest', { passed: report?.numPassedTests ?? 0, failures }, exitCode)
}

/**
 * Counts a Playwright JSON report; a test that passed when repeated has passed.
 *
 * @param {string} file
 * @param {number} exitCode the runner's
 * @returns {Promise<Tally>}
 */
export async function tallyPlaywright(file, exitCode) {
  const report = await readJson(file)
  const passed = (report?.stats?.expected ?? 0) + (report?.stats?.flaky ?? 0)
  const failures = (report?.suites ?? []).flatMap(failedSpecs)
  return withCrash('playwright', { passed, failures }, exitCode)
}

/** @param {any} suite @returns {string[]} */
function failedSpecs(suite) {
  const specs = (suite.specs ?? []).filter((spec) => spec.tests.some((test) => test.status === 'unexpected'))
  return [
    ...specs.map((spec) => `${spec.file}:${spec.line} › ${spec.title}`),
    ...(suite.suites ?? []).flatMap(failedSpecs),
  ]
}

/**
 * @param {string} runner
 * @param {{ passed: number, failures: string[] }} counted
 * @param {number} exitCode
 * @returns {Tally}
 */
function withCrash(runner, { passed, failures }, exitCode) {
  const all = exitCode !== 0 && failures.length === 0 ? [`${runner} ended with ${exitCode}`] : failures
  return { passed, failed: all.length, failures: all }
}

/** @param {string} file */
async function readJson(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return null
  }
}
