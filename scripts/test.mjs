// npm test: checks, then vitest, then Playwright, then a minute's soak. The last line is `N passed, N failed`.
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { allChecks, runCheck } from './lib/checks.mjs'
import { ROOT, TOOLS } from './lib/paths.mjs'
import { runNode } from './lib/run.mjs'
import { ensureChromium, ensureRedis, MissingProgramError } from './lib/system.mjs'
import { tallyPlaywright, tallyVitest } from './lib/test-reports.mjs'

const REPORTS = join(ROOT, '.shoal/reports')
const total = { passed: 0, failed: 0 }
/** @type {string[]} */
const failures = []

/** @param {import('./lib/test-reports.mjs').Tally} tally */
function add({ passed, failed, failures: names }) {
  total.passed += passed
  total.failed += failed
  failures.push(...names)
}

/** @param {string} title */
function heading(title) {
  console.log(`\n--- ${title}`)
}

/**
 * Finds a system program and hands it to the tests in the environment.
 *
 * @param {string} variable
 * @param {(tell: (line: string) => void) => Promise<string>} ensure
 */
async function provide(variable, ensure) {
  try {
    const path = await ensure((line) => console.log(line))
    process.env[variable] = path
    console.log(`${variable}=${path}`)
  } catch (error) {
    if (!(error instanceof MissingProgramError)) throw error
    console.log(`FAILED  ${error.message}`)
    add({ passed: 0, failed: 1, failures: [variable] })
  }
}

/** @param {string} name */
async function freshReport(name) {
  await mkdir(REPORTS, { recursive: true })
  const file = join(REPORTS, name)
  await rm(file, { force: true })
  return file
}

heading('System programs')
await provide('SHOAL_CHROMIUM', ensureChromium)
await provide('SHOAL_REDIS_SERVER', ensureRedis)

heading('Checks')
for (const check of await allChecks()) {
  const ok = await runCheck(check)
  add({ passed: ok ? 1 : 0, failed: ok ? 0 : 1, failures: ok ? [] : [check.name] })
}

heading('Unit, conformance and integration tests')
const vitestReport = await freshReport('vitest.json')
const vitest = await runNode(
  TOOLS.vitest,
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`],
  { show: 'stdout' },
)
add(await tallyVitest(vitestReport, vitest.code))

heading('Browser tests')
const playwrightReport = await freshReport('playwright.json')
const playwright = await runNode(
  TOOLS.playwright,
  ['test', '--config', 'e2e/playwright.config.ts', '--reporter=list,json'],
  { show: 'stdout', env: { PLAYWRIGHT_JSON_OUTPUT_FILE: playwrightReport } },
)
add(await tallyPlaywright(playwrightReport, playwright.code))

heading('Soak, one minute')
// Of the seeds with a short plan one in which the origin and the tracker fail and five viewers come and go.
const soak = await runNode('bench/dist/soak-cli.js', ['--minutes', '1', '--seed', '24'], { show: 'stdout' })
const soaked = soak.code === 0
add({ passed: soaked ? 1 : 0, failed: soaked ? 0 : 1, failures: soaked ? [] : ['soak'] })

// Again at the end, where a log that was cut still shows it.
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((name) => `  ${name}`).join('\n')}`)

process.exitCode = total.failed === 0 ? 0 : 1
console.log(`\n${total.passed} passed, ${total.failed} failed`)
