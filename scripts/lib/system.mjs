import { createRequire } from 'node:module'
import { join } from 'node:path'
import { findProgram } from './find-program.mjs'
import { ROOT, TOOLS } from './paths.mjs'
import { run, runNode } from './run.mjs'

/** A program that the tests need is not there and could not be installed. One line for people. */
export class MissingProgramError extends Error {}

const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const CHROMIUM_PLACES = [
  '/usr/bin/chromium',
  '/usr/lib/chromium/chromium',
  '/snap/bin/chromium',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/**
 * Finds Chromium: SHOAL_CHROMIUM, the system's, Playwright's own; installs one where there is none.
 *
 * @param {(line: string) => void} tell
 * @returns {Promise<string>} absolute path
 * @throws {MissingProgramError}
 */
export async function ensureChromium(tell) {
  const given = process.env['SHOAL_CHROMIUM']
  if (given) {
    const found = await findProgram([given])
    if (found === null) throw new MissingProgramError(`SHOAL_CHROMIUM is ${given}, which does not run`)
    return found
  }
  const candidates = [...CHROMIUM_NAMES, ...CHROMIUM_PLACES, playwrightChromium()]
  const found = await findProgram(candidates)
  if (found !== null) return found

  tell('No Chromium found: trying "playwright install chromium" …')
  const download = await runNode(TOOLS.playwright, ['install', 'chromium'])
  if (download.code !== 0) tell(`It failed: ${reasonIn(download.output)}`)
  const installed =
    (await findProgram([playwrightChromium()])) ?? (await aptInstall('chromium', candidates, tell))
  if (installed !== null) return installed
  throw new MissingProgramError(
    'Chromium is missing: install it (Debian: apt install chromium) or set SHOAL_CHROMIUM',
  )
}

/**
 * Finds redis-server, or installs it where apt can.
 *
 * @param {(line: string) => void} tell
 * @returns {Promise<string>} absolute path
 * @throws {MissingProgramError}
 */
export async function ensureRedis(tell) {
  const candidates = [
    'redis-server',
    '/usr/bin/redis-server',
    '/usr/local/bin/redis-server',
    '/opt/homebrew/bin/redis-server',
  ]
  const found = (await findProgram(candidates)) ?? (await aptInstall('redis-server', candidates, tell))
  if (found !== null) return found
  throw new MissingProgramError('redis-server is missing: install it (Debian: apt install redis-server)')
}

/**
 * @param {string} name
 * @param {readonly (string | undefined)[]} candidates
 * @param {(line: string) => void} tell
 */
async function aptInstall(name, candidates, tell) {
  if (process.getuid?.() !== 0 || (await findProgram(['apt-get'])) === null) return null
  tell(`No ${name} found: installing it with apt-get …`)
  const options = /** @type {const} */ ({ env: { DEBIAN_FRONTEND: 'noninteractive' }, show: 'stderr' })
  await run('apt-get', ['update', '-q'], options)
  await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', name], options)
  return findProgram(candidates)
}

/**
 * The line of a failed download that says why: the tool repeats itself with stack traces.
 *
 * @param {string} output
 */
function reasonIn(output) {
  const lines = output.trim().split('\n')
  return (lines.find((line) => /^\s*Error: /.test(line)) ?? lines.at(-1) ?? '').trim()
}

/** Where Playwright's own browser is or would be. */
function playwrightChromium() {
  try {
    const { chromium } = createRequire(join(ROOT, 'e2e/package.json'))('@playwright/test')
    return chromium.executablePath()
  } catch {
    return undefined
  }
}
