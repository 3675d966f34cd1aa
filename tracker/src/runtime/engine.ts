import type { Log } from '../adapters/log.js'
import type { StartServer } from '../adapters/server-port.js'
import { loadUwsServer } from '../adapters/uws-server.js'
import { startWsServer } from '../adapters/ws-server.js'
import { OptionsError } from './options.js'

export type EngineName = 'uws' | 'ws'

export interface Engine {
  readonly name: EngineName
  readonly start: StartServer
}

/**
 * The socket library to use: the wanted one, else uWebSockets.js where it loads, else ws.
 *
 * @throws OptionsError when uWebSockets.js is wanted and does not load
 */
export async function chooseEngine(wanted: EngineName | undefined, log: Log): Promise<Engine> {
  if (wanted === 'ws') return { name: 'ws', start: startWsServer }
  const uws = await loadUwsServer()
  if (typeof uws === 'function') return { name: 'uws', start: uws }
  if (wanted === 'uws') throw new OptionsError(`engine: ${uws.missing}`)
  log.warn({ reason: uws.missing }, 'engine ws is used: slower, and more memory per socket')
  return { name: 'ws', start: startWsServer }
}
