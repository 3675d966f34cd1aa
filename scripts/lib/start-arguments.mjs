import { parseArgs } from 'node:util'

/** The command line is wrong. The message says how it should be. */
export class UsageError extends Error {}

const USAGE = 'usage: npm start -- [--port N] [--json]'
const DEFAULT_PORT = 8080
/** Player, tracker, origin and two seeders. */
export const PORTS = 5

/**
 * @param {readonly string[]} args
 * @returns {{ json: boolean, port: (index: number) => number }} `port(i)` is the i-th port from the base
 *   port on, or 0 for a free one
 * @throws {UsageError}
 */
export function readStartArguments(args) {
  const { port, json } = parse(args)
  const base = port === undefined ? DEFAULT_PORT : Number(port)
  if (!/^\d+$/.test(String(base)) || base > 65_536 - PORTS) {
    throw new UsageError(`--port takes a number from 0 to ${65_536 - PORTS}\n${USAGE}`)
  }
  return { json: json === true, port: (index) => (base === 0 ? 0 : base + index) }
}

/** @param {readonly string[]} args */
function parse(args) {
  try {
    const options = /** @type {const} */ ({ port: { type: 'string' }, json: { type: 'boolean' } })
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error}\n${USAGE}`)
  }
}
