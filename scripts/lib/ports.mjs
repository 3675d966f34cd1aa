import { createServer } from 'node:net'
import { ServiceError } from './service.mjs'
import { PORTS } from './start-arguments.mjs'

const HOST = '127.0.0.1'

/**
 * Tries all ports that `npm start` is about to use, before anything is built or started.
 *
 * @param {(index: number) => number} port 0 for a free one
 * @throws {ServiceError} where one cannot be had
 */
export async function requireFreePorts(port) {
  const [first, last] = [port(0), port(PORTS - 1)]
  for (let number = first; number <= last && first > 0; number++) {
    const code = await tryPort(number)
    if (code === null) continue
    const what = code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${code})`
    const mend = 'choose another first port with "npm start -- --port N", or 0 for free ones'
    throw new ServiceError(`Port ${number} on ${HOST} ${what}; Shoal takes ${first} to ${last}: ${mend}.`)
  }
}

/**
 * @param {number} port
 * @returns {Promise<string | null>} the system's error code, or null where it is free
 */
function tryPort(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => resolve(error.code ?? error.message))
    server.listen(port, HOST, () => server.close(() => resolve(null)))
  })
}
