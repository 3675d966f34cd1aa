import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { PeerLink, PeerLinkEvents } from '@shoal/core'
import { type DialAddress, dialPeerId, type PeerId } from '@shoal/protocol'
import { SeederError } from '../errors.js'
import type * as Links from '../links/index.js'
import type { Logger } from '../log.js'
import type { SeederOptions } from './options.js'

/**
 * Dials that may be on their way at a time: a check costs its sender nothing, its address may be false, and
 * a connection that never opens takes a place for twenty seconds.
 */
const MAX_OPENING = 32

/** The UDP port that peers dial without signalling. */
export interface DirectPort {
  readonly address: DialAddress
  readonly peerId: PeerId
  /** @param onDial false where the peer is not taken now */
  listen(onDial: (dial: Links.DirectDial) => boolean): void
  accept(dial: Links.DirectDial, events: PeerLinkEvents): PeerLink
  close(): void
}

/**
 * Takes the port, and the certificate from beside the key or the cache.
 *
 * @throws SeederError
 */
export async function openDirectPort(
  links: typeof Links,
  factory: Links.NodeLinkFactory,
  options: Pick<SeederOptions, 'direct' | 'keyFile' | 'cache' | 'webrtc'>,
  log: Logger,
): Promise<DirectPort | null> {
  const { direct, webrtc } = options
  if (direct === undefined) return null
  const address = webrtc?.bindAddress
  const certificate = certificateOf(links, options)
  let port: number
  try {
    port = await links.usableUdpPort(direct.port, address)
  } catch (error) {
    throw portError(direct.port, address, error)
  }
  const { fingerprint } = certificate
  const host = direct.host ?? address ?? links.likelyAddress()
  let listener: Links.DirectListener | null = null
  const opening = new Set<object>()
  return {
    address: { host, port, fingerprint },
    peerId: dialPeerId({ fingerprint }),
    listen: (take) => {
      const onDial = (dial: Links.DirectDial) => opening.size < MAX_OPENING && take(dial)
      const onError = (error: unknown) => log.warn({ error: String(error) }, 'a direct connection failed')
      try {
        listener = new links.DirectListener({ port, address, onDial, onError })
      } catch (error) {
        throw portError(port, address, error)
      }
    },
    accept: (dial, events) => {
      const attempt = {}
      opening.add(attempt)
      return factory.accept(
        dial,
        { port, address, certificate },
        {
          ...events,
          onOpen: () => {
            opening.delete(attempt)
            events.onOpen()
          },
          onClose: (reason) => {
            opening.delete(attempt)
            events.onClose(reason)
          },
        },
      )
    },
    close: () => listener?.stop(),
  }
}

function certificateOf(
  links: typeof Links,
  { keyFile, cache }: Pick<SeederOptions, 'keyFile' | 'cache'>,
): Links.DirectCertificate {
  if (keyFile === undefined && cache === undefined) return links.ephemeralCertificate()
  const file = keyFile === undefined ? join(cache?.folder ?? '', 'direct.pem') : `${keyFile}.direct`
  try {
    if (keyFile === undefined && cache !== undefined) mkdirSync(cache.folder, { recursive: true })
    return links.storedCertificate(file)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SeederError('bad-key', `cannot use the certificate of --direct-port: ${reason}.`)
  }
}

function portError(port: number, address: string | undefined, error: unknown): SeederError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  const place = `UDP port ${port} of ${address ?? 'all addresses'}`
  if (code === 'EADDRINUSE') {
    return new SeederError('port-in-use', `${place} is in use: choose another with --direct-port.`)
  }
  if (code === 'EADDRNOTAVAIL') {
    const mend = 'this machine has no such address; choose another webrtc.bindAddress'
    return new SeederError('listen-failed', `cannot listen on ${place}: ${mend}.`)
  }
  return new SeederError('listen-failed', `cannot listen on ${place}: ${code}.`)
}
