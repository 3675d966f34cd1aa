import { createSwarm } from '@shoal/core'
import { SeederError } from '../errors.js'
import { cryptoRandom, nodeClock } from '../host/node-clock.js'
import { openWsSocket } from '../host/ws-socket.js'
import type { NodeLinkFactory } from '../links/index.js'
import type { Logger } from '../log.js'
import { type DirectPort, openDirectPort } from './direct-port.js'
import type { SeederHost } from './host.js'
import type { SeederOptions } from './options.js'

type HostOptions = Pick<SeederOptions, 'webrtc' | 'direct' | 'keyFile' | 'cache'>

/** This machine: Node's clock and sockets, and WebRTC where its native library can be loaded. */
export async function defaultHost(log: Logger, options: HostOptions): Promise<SeederHost> {
  const { links, direct } = await nodeLinks(log, options)
  return {
    clock: nodeClock,
    random: cryptoRandom(),
    openSocket: openWsSocket,
    createSwarm,
    links,
    direct,
    release: () => {
      direct?.close()
      void links?.shutdown()
    },
  }
}

/** Loaded late: a machine whose native library fails to load can still serve HTTP. */
async function nodeLinks(
  log: Logger,
  options: HostOptions,
): Promise<{ readonly links: NodeLinkFactory | null; readonly direct: DirectPort | null }> {
  let adapter: typeof import('../links/index.js')
  try {
    adapter = await import('../links/index.js')
  } catch (error) {
    log.error({ error: String(error) }, 'WebRTC cannot be loaded: peers are not served, only HTTP')
    return { links: null, direct: null }
  }
  let links: NodeLinkFactory
  try {
    const onError = (error: unknown) => log.warn({ error: String(error) }, 'WebRTC reported an error')
    links = adapter.createNodeLinkFactory({ ...options.webrtc, onError })
  } catch (error) {
    throw new SeederError('usage', `WebRTC: ${error instanceof Error ? error.message : String(error)}.`)
  }
  return { links, direct: await openDirectPort(adapter, links, options, log) }
}
