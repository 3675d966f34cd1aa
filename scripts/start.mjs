// npm start: tracker, origin with a sample VOD and a live stream, seeders, demo player and dashboard.
import { setTimeout as sleep } from 'node:timers/promises'
import { BuildError, build } from './lib/build.mjs'
import { startStack } from './lib/demo-stack.mjs'
import { requireFreePorts } from './lib/ports.mjs'
import { ServiceError } from './lib/service.mjs'
import { readStartArguments, UsageError } from './lib/start-arguments.mjs'

/** How much earlier than this process a program may hear of Ctrl-C, in ms. */
const GRACE_MS = 200

const PARENT_POLL_MS = 500

process.exitCode = await main(process.argv.slice(2))
// Connections that browsers keep open must not hold the process.
process.exit()

/**
 * @param {string[]} args
 * @returns {Promise<number>} exit code: 0 ended by a signal, 1 failed, 2 used wrongly
 */
async function main(args) {
  const signal = nextSignal()
  let stack = null
  try {
    const { port, json } = readStartArguments(args)
    await requireFreePorts(port)
    /** Progress. Standard output is for the result alone. */
    const tell = (/** @type {string} */ line) => console.error(line)
    tell('Building …')
    if ((await Promise.race([build(tell), signal])) === 'signal') return 0
    const starting = startStack(port, tell)
    stack = starting.stack
    const first = await Promise.race([starting.ready, stack.failed, signal])
    if (first === 'signal') return 0
    if (first instanceof Error) throw first
    if (json) console.log(JSON.stringify(first))
    else console.log(block(first))

    const end = await Promise.race([stack.failed, signal])
    // Ctrl-C reaches the programs too, and one of them may be the first to end.
    if (end instanceof Error && (await Promise.race([signal, sleep(GRACE_MS)])) !== 'signal') throw end
    if (!json) console.log('\nStopping …')
    return 0
  } catch (error) {
    return complain(error)
  } finally {
    await stack?.stop()
  }
}

/** @param {Record<string, unknown>} urls */
function block({ player, dashboard, tracker, origin, seeders }) {
  return [
    '',
    'Shoal is running. Open the player in two tabs.',
    '',
    `  Player     ${player}`,
    `  Dashboard  ${dashboard}`,
    `  Tracker    ${tracker}`,
    `  Origin     ${origin}  (/vod/master.m3u8, /live/master.m3u8)`,
    `  Seeders    ${/** @type {string[]} */ (seeders).join('  ')}`,
    '',
    'Ctrl-C stops everything.',
  ].join('\n')
}

/** @param {unknown} error */
function complain(error) {
  if (!(error instanceof Error)) throw error
  if (error instanceof BuildError) console.error(error.output)
  if (error instanceof ServiceError && error.detail !== '') console.error(error.detail)
  console.error(error.message)
  return error instanceof UsageError ? 2 : 1
}

/**
 * SIGINT, SIGTERM or SIGHUP; or the end of npm, which passes SIGTERM on to its shell but not to us.
 *
 * @returns {Promise<'signal'>}
 */
function nextSignal() {
  return new Promise((resolve) => {
    if (process.env['npm_lifecycle_event'] !== undefined) {
      const parent = process.ppid
      setInterval(() => process.ppid !== parent && resolve('signal'), PARENT_POLL_MS).unref()
    }
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.once(name, () => {
        resolve('signal')
        // The second one does not wait.
        process.once(name, () => process.exit(130))
      })
    }
  })
}
