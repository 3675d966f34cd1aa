import { createSwarm } from '@shoal/core'
import { SeederError } from '../errors.js'
import { cryptoRandom, nodeClock } from '../host/node-clock.js'
import { openWsSocket } from '../host/ws-socket.js'
import type { NodeLinkFactory } from '../links/index.js'
import type { Logger } from '../log.js'
import type { SeederHost } from './host.js'
import type { WebRtcOptions } from './options.js'

/** This machine: Node's clock and sockets, and WebRTC where its native library can be loaded. */
export async function defaultHost(log: Logger, webrtc: WebRtcOptions = {}): Promise<SeederHost> {
  const links = await nodeLinks(log, webrtc)
  return {
    clock: nodeClock,
    random: cryptoRandom(),
    openSocket: openWsSocket,
    createSwarm,
    links,
    release: () => links?.shutdown(),
  }
}

/** Loaded late: a machine whose native library fails to load can still serve HTTP. */
async function nodeLinks(log: Logger, webrtc: WebRtcOptions): Promise<NodeLinkFactory | null> {
  let adapter: typeof import('../links/index.js')
  try {
    adapter = await import('../links/index.js')
  } catch (error) {
    log.error({ error: String(error) }, 'WebRTC cannot be loaded: peers are not served, only HTTP')
    return null
  }
  try {
    const onError = (error: unknown) => log.warn({ error: String(error) }, 'WebRTC reported an error')
    return adapter.createNodeLinkFactory({ ...webrtc, onError })
  } catch (error) {
    throw new SeederError('usage', `WebRTC: ${error instanceof Error ? error.message : String(error)}.`)
  }
}
