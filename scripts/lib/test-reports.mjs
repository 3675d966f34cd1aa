import { readFile } from 'node:fs/promises'

/** @typedef {{ passed: number, failed: number }} Tally */

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
  const broken = files.filter(
    (entry) => entry.status === 'failed' && !entry.assertionResults.some((test) => test.status === 'failed'),
  ).length
  return withCrash(
    { passed: report?.numPassedTests ?? 0, failed: (report?.numFailedTests ?? 0) + broken },
    exitCode,
  )
}

/**
 * Counts a Playwright JSON report; a test that passed when repeated has passed.
 *
 * @param {string} file
 * @param {number} exitCode the runner's
 * @returns {Promise<Tally>}
 */
export async function tallyPlaywright(file, exitCode) {
  const stats = (await readJson(file))?.stats
  const passed = (stats?.expected ?? 0) + (stats?.flaky ?? 0)
  return withCrash({ passed, failed: stats?.unexpected ?? 0 }, exitCode)
}

/** @param {Tally} tally @param {number} exitCode @returns {Tally} */
function withCrash({ passed, failed }, exitCode) {
  return { passed, failed: exitCode !== 0 && failed === 0 ? 1 : failed }
}

/** @param {string} file */
async function readJson(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return null
  }
}
