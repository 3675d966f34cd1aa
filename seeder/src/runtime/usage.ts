import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isPublicKey, MAX_ANNOUNCED_KEYS } from '@shoal/protocol'
import { SeederError } from '../errors.js'
import { publicUrlFault } from '../http/announced-url.js'
import type { SeederOptions } from './options.js'

/** Longest name of a title that trackers take (docs/protocol.md, "Tracker messages"). */
const MAX_NAME_CHARS = 80

/** Refuses options that cannot work. Throws `SeederError` (`usage`). */
export function checkOptions(options: SeederOptions): void {
  const { source, trackers, contentId, name, cache, http, direct, webrtc, keyFile, signedBy } = options
  if (source === '') throw usage('SOURCE is empty: give a folder with a playlist, or the URL of one.')
  if (trackers.length === 0 && direct === undefined) {
    throw usage('no tracker is given: --tracker ws://host:port, or --direct-port for viewers that need none')
  }
  for (const tracker of trackers) {
    if (URL.canParse(tracker) && /^wss?:$/.test(new URL(tracker).protocol)) continue
    throw usage(`the tracker ${tracker} is not a ws:// or wss:// URL: --tracker ws://host:port`)
  }
  if (contentId === '') throw usage('the content id is empty.')
  if (name !== undefined && name.length > MAX_NAME_CHARS) {
    throw usage(`the name is longer than ${MAX_NAME_CHARS} characters.`)
  }
  if (signedBy !== undefined && !(signedBy.length <= MAX_ANNOUNCED_KEYS && signedBy.every(isPublicKey))) {
    throw usage(`--signed-by: not up to ${MAX_ANNOUNCED_KEYS} public keys as keygen prints them.`)
  }
  if (signedBy !== undefined && signedBy.length > 0 && keyFile !== undefined) {
    throw usage('--signed-by and --key cannot both be given.')
  }
  if (cache?.bytes !== undefined && !(cache.bytes > 0)) throw usage('--cache-bytes is not above 0.')
  if (http !== undefined && !(Number.isInteger(http.port) && http.port >= 0 && http.port <= 65535)) {
    throw usage(`--http-port ${http.port} is not a port: 0 to 65535.`)
  }
  const fault = http?.publicUrl === undefined ? null : publicUrlFault(http.publicUrl)
  if (fault !== null) throw usage(`--public-url is wrong: ${fault}`)
  if (direct !== undefined && !(Number.isInteger(direct.port) && direct.port >= 0 && direct.port <= 65535)) {
    throw usage(`--direct-port ${direct.port} is not a port: 0 to 65535.`)
  }
  const address = webrtc?.bindAddress
  if (address !== undefined && !isOwnAddress(address)) {
    throw usage(`webrtc.bindAddress ${address} is no address of this machine.`)
  }
}

function isOwnAddress(address: string): boolean {
  if (isIP(address) === 0) return false
  if (address === '0.0.0.0' || address === '::') return true
  // All of 127/8 is this machine, though one address of it is listed.
  if (address.startsWith('127.')) return true
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.some((known) => known.address === address)
}

function usage(message: string): SeederError {
  return new SeederError('usage', message)
}
