import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ROOT } from './paths.mjs'

/** Something that start.mjs runs does not run. One line for people; `detail` is what it said itself. */
export class ServiceError extends Error {
  /** @param {string} message @param {string} [detail] */
  constructor(message, detail = '') {
    super(message)
    this.detail = detail
  }
}

/** After this long, a program that does not end is ended, in ms. */
const STOP_PATIENCE_MS = 5000
/** Seeders read their whole source first. */
const READY_PATIENCE_MS = 60_000
const KEPT_LOG_CHARACTERS = 4000
const SHOWN_LOG_LINES = 5

/**
 * A program of this repository that prints one JSON line when it is ready.
 *
 * @typedef {{
 *   ready: Promise<Record<string, unknown>>,
 *   ended: Promise<ServiceError>,
 *   stop: () => Promise<void>
 * }} Service  `ready`: what the line held, or a ServiceError; `ended`: the program is no more
 */

/**
 * Starts a program.
 *
 * @param {string} name for messages
 * @param {string} script relative to the root
 * @param {readonly string[]} args
 * @returns {Service}
 */
export function startService(name, script, args) {
  const child = spawn(process.execPath, [join(ROOT, script), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  let ready = false
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log = (log + text).slice(-KEPT_LOG_CHARACTERS)
  })

  /** @type {Promise<ServiceError>} */
  const ended = new Promise((resolve) => {
    child.once('error', (error) =>
      resolve(new ServiceError(`${name} could not be started: ${error.message}`)),
    )
    child.once('close', (code, signal) => {
      const lines = log.trim().split('\n')
      const last = lines.at(-1) ?? ''
      // A program that cannot start says why in one line.
      if (!ready && last !== '') resolve(new ServiceError(`${name}: ${last}`))
      const detail = lines.slice(-SHOWN_LOG_LINES).join('\n')
      resolve(new ServiceError(`the ${name} ended (${signal ?? `exit code ${code}`})`, detail))
    })
  })
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS)
    await ended
    clearTimeout(timer)
  }
  const line = untilReady(name, child.stdout, ended)
  line.then(
    () => {
      ready = true
    },
    () => {},
  )
  return { ready: line, ended, stop }
}

/**
 * @param {string} name
 * @param {NodeJS.ReadableStream} output
 * @param {Promise<ServiceError>} ended
 */
async function untilReady(name, output, ended) {
  const outcome = await Promise.race([firstJsonLine(output), ended, timeout(name)])
  if (outcome instanceof ServiceError) throw outcome
  return outcome
}

/**
 * @param {NodeJS.ReadableStream} stream
 * @returns {Promise<Record<string, unknown>>} pending for ever when none comes
 */
function firstJsonLine(stream) {
  return new Promise((resolve) => {
    createInterface({ input: stream }).on('line', (line) => {
      if (!line.startsWith('{')) return
      try {
        resolve(JSON.parse(line))
      } catch {
        // Not the line: the program may print more.
      }
    })
  })
}

/** @param {string} name @returns {Promise<ServiceError>} */
function timeout(name) {
  return new Promise((resolve) => {
    const late = new ServiceError(`${name} was not ready within ${READY_PATIENCE_MS / 1000} s`)
    setTimeout(resolve, READY_PATIENCE_MS, late).unref()
  })
}
