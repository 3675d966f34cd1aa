import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below the ports that systems give to whoever connects (Linux from 32768 on, RFC 6335 from 49152 on). */
const [LOWEST, HIGHEST] = [20_000, 32_000]
const TRIES = 50

/**
 * A free port that stays free while its server is down. Of the ports that a listener on 0 gets, one that
 * clients try again and again may become such a client's own, connected to itself.
 *
 * @throws Error where 50 ports in a row are in use
 */
export async function lastingPort(host: string): Promise<number> {
  for (let tried = 0; tried < TRIES; tried++) {
    const port = randomInt(LOWEST, HIGHEST)
    if (await isFree(port, host)) return port
  }
  throw new Error(`no free port from ${LOWEST} to ${HIGHEST}`)
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
