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

interface EngineSettings {
  readonly engine?: EngineName | undefined
  readonly tls: { readonly certFile?: string | undefined }
  readonly sharedPort: boolean
  readonly port: number
}

/**
 * The socket library to use: the wanted one, else uWebSockets.js where it loads, else ws. With TLS it
 * is ws: builds of uWebSockets.js without TLS look the same from outside.
 *
 * @throws OptionsError when uWebSockets.js is wanted and does not load, or together with TLS; and when
 *   the port is to be shared and cannot be
 */
export async function chooseEngine(settings: EngineSettings, log: Log): Promise<Engine> {
  const engine = await findEngine(settings, log)
  if (settings.sharedPort && engine.name !== 'uws') {
    throw new OptionsError('sharedPort: engine ws cannot share its port, only uws can')
  }
  if (settings.sharedPort && settings.port === 0) {
    throw new OptionsError('sharedPort: the port to share is wanted, not 0')
  }
  return engine
}

async function findEngine({ engine: wanted, tls }: EngineSettings, log: Log): Promise<Engine> {
  const ws: Engine = { name: 'ws', start: startWsServer }
  if (wanted === 'ws') return ws
  if (tls.certFile !== undefined) {
    if (wanted !== 'uws') return ws
    throw new OptionsError('tls: engine uws has no TLS here: take engine ws, or a proxy in front (deploy/)')
  }
  const uws = await loadUwsServer()
  if (typeof uws === 'function') return { name: 'uws', start: uws }
  if (wanted === 'uws') throw new OptionsError(`engine: ${uws.missing}`)
  log.warn({ reason: uws.missing }, 'engine ws is used: slower, and more memory per socket')
  return ws
}
