import {
  type DecodeError,
  type DialAddress,
  MAX_DIAL_ADDRESSES,
  type PublicKey,
  readDialAddress,
  readPublicKey,
} from '@shoal/protocol'
import { ShoalConfigError } from './config-error.js'
import type {
  DownloadMode,
  Integrity,
  MemoryOptions,
  NetworkOptions,
  ShoalOptions,
  UploadOptions,
} from './options.js'
import {
  DEFAULT_UPLOAD_BYTES_PER_SECOND,
  MAX_MAX_PEERS,
  MIN_MEMORY_BYTES,
  type ResolvedOptions,
} from './resolved-options.js'

const MODES: readonly DownloadMode[] = ['server-friendly', 'peer-friendly', 'aggressive']

const INTEGRITIES: readonly Integrity[] = ['signed', 'checked', 'attested', 'off']

/**
 * Checks the options and fills in defaults.
 *
 * @throws ShoalConfigError on the first mistake
 */
export function resolveOptions(options: ShoalOptions): ResolvedOptions {
  const {
    tracker,
    contentId,
    joinToken,
    p2p,
    mode,
    publicKey,
    publicKeyUrl,
    sidecars,
    integrity,
    upload,
    network,
    memory,
  } = group<ShoalOptions>('options', options, [
    'tracker',
    'contentId',
    'joinToken',
    'p2p',
    'mode',
    'publicKey',
    'publicKeyUrl',
    'sidecars',
    'integrity',
    'upload',
    'network',
    'memory',
  ])
  if (contentId !== undefined && typeof contentId !== 'function') {
    if (typeof contentId !== 'string') fail('invalid-type', 'contentId', 'must be a string or a function')
    if (contentId === '') fail('out-of-range', 'contentId', 'must not be empty')
  }
  if (joinToken !== undefined && typeof joinToken !== 'string' && typeof joinToken !== 'function') {
    fail('invalid-type', 'joinToken', 'must be a string or a function')
  }
  if (sidecars !== undefined && typeof sidecars !== 'boolean') {
    fail('invalid-type', 'sidecars', 'must be a boolean')
  }
  if (p2p !== undefined && typeof p2p !== 'boolean' && typeof p2p !== 'function') {
    fail('invalid-type', 'p2p', 'must be a boolean or a function')
  }
  return {
    trackers: listOf('tracker', tracker).map(trackerUrl),
    contentId,
    joinToken,
    p2p: p2p ?? true,
    mode: oneOf('mode', MODES, mode) ?? 'server-friendly',
    publicKeys: listOf('publicKey', publicKey).map(keyOf),
    publicKeyUrl: documentUrl(publicKeyUrl, publicKey),
    sidecars: sidecars ?? false,
    integrity: oneOf('integrity', INTEGRITIES, integrity) ?? null,
    ...resolveUpload(group('upload', upload ?? {}, ['enabled', 'maxBytesPerSecond', 'maxBytesPerSession'])),
    ...resolveNetwork(group('network', network ?? {}, ['iceServers', 'maxPeers', 'seeders'])),
    memoryBytes: resolveMemory(group('memory', memory ?? {}, ['maxBytes'])),
  }
}

function oneOf<T extends string>(key: string, all: readonly T[], value: T | undefined): T | undefined {
  if (value !== undefined && !all.includes(value)) {
    fail('invalid-type', key, `must be one of '${all.join("', '")}'`)
  }
  return value
}

function documentUrl(url: string | undefined, publicKey: ShoalOptions['publicKey']): string | null {
  if (url === undefined) return null
  const key = 'publicKeyUrl'
  if (typeof url !== 'string') fail('invalid-type', key, 'must be a string')
  // Relative ones are the page's.
  if (url === '' || !URL.canParse(url, 'https://page.invalid')) fail('invalid-url', key, 'must be a URL')
  if (publicKey === undefined)
    fail('invalid-key', 'publicKey', `is needed with ${key}: it signs the document`)
  return url
}

function resolveUpload({
  enabled,
  maxBytesPerSecond,
  maxBytesPerSession,
}: UploadOptions): Pick<ResolvedOptions, 'upload' | 'uploadBytesPerSession'> {
  const known = typeof enabled === 'boolean' || typeof enabled === 'function' || enabled === 'auto'
  if (enabled !== undefined && !known) {
    fail('invalid-type', 'upload.enabled', "must be a boolean, 'auto' or a function")
  }
  const rate = numberIn('upload.maxBytesPerSecond', maxBytesPerSecond, 0, Infinity)
  return {
    upload: { enabled: enabled ?? 'auto', maxBytesPerSecond: rate ?? DEFAULT_UPLOAD_BYTES_PER_SECOND },
    uploadBytesPerSession: numberIn('upload.maxBytesPerSession', maxBytesPerSession, 0, Infinity) ?? null,
  }
}

function resolveNetwork({
  iceServers,
  maxPeers,
  seeders,
}: NetworkOptions): Pick<ResolvedOptions, 'iceServers' | 'maxPeers' | 'seeders'> {
  if (iceServers !== undefined && !Array.isArray(iceServers)) {
    fail('invalid-type', 'network.iceServers', 'must be an array of RTCIceServer')
  }
  const peers = numberIn('network.maxPeers', maxPeers, 1, MAX_MAX_PEERS) ?? null
  if (peers !== null && !Number.isInteger(peers)) {
    fail('out-of-range', 'network.maxPeers', 'must be a whole number')
  }
  return {
    iceServers: (iceServers ?? []).map(iceServer),
    maxPeers: peers,
    seeders: dialAddresses(listOf('network.seeders', seeders)),
  }
}

function dialAddresses(texts: readonly string[]): DialAddress[] {
  const key = 'network.seeders'
  if (texts.length > MAX_DIAL_ADDRESSES) fail('out-of-range', key, `must be ${MAX_DIAL_ADDRESSES} at most`)
  return texts.map((text) => {
    try {
      return readDialAddress(text)
    } catch (error) {
      return fail('invalid-url', key, `${JSON.stringify(text)} is ${(error as DecodeError).message}`)
    }
  })
}

function resolveMemory({ maxBytes }: MemoryOptions): number | null {
  return numberIn('memory.maxBytes', maxBytes, MIN_MEMORY_BYTES, Number.MAX_SAFE_INTEGER) ?? null
}

function fail(code: ShoalConfigError['code'], key: string, problem: string): never {
  throw new ShoalConfigError(code, key, problem)
}

/** An object with known keys only: a misspelt option must not be ignored in silence. */
function group<T extends object>(key: string, value: T, known: readonly (keyof T & string)[]): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail('invalid-type', key, 'must be an object')
  }
  const names: readonly string[] = known
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue
    fail('unknown-option', key === 'options' ? name : `${key}.${name}`, `unknown; known: ${names.join(', ')}`)
  }
  return value
}

function listOf(key: string, value: string | readonly string[] | undefined): readonly string[] {
  const list: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value]
  return list.map((entry) =>
    typeof entry === 'string' ? entry : fail('invalid-type', key, 'must be a string or strings'),
  )
}

function numberIn(key: string, value: number | undefined, low: number, high: number): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number') fail('invalid-type', key, 'must be a number')
  if (!(value >= low && value <= high)) {
    fail('out-of-range', key, `must be ${low} ${high === Infinity ? 'or more' : `to ${high}`}`)
  }
  return value
}

function trackerUrl(text: string): string {
  const problem = `must be a ws:// or wss:// URL, not ${JSON.stringify(text)}`
  if (!URL.canParse(text)) fail('invalid-url', 'tracker', problem)
  const url = new URL(text)
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') fail('invalid-url', 'tracker', problem)
  // The WebSocket constructor refuses a fragment.
  url.hash = ''
  return url.href
}

/** What `new RTCPeerConnection` would refuse long after the mistake was made. */
function iceServer(server: RTCIceServer): RTCIceServer {
  const key = 'network.iceServers'
  if (typeof server !== 'object' || server === null)
    fail('invalid-type', key, 'must hold RTCIceServer objects')
  const urls = listOf(`${key}.urls`, server.urls)
  if (urls.length === 0) fail('invalid-type', `${key}.urls`, 'must be a string or strings')
  for (const url of urls) {
    if (/^(stun|turn)s?:.+/i.test(url)) continue
    fail('invalid-url', `${key}.urls`, `must begin with stun:, stuns:, turn: or turns:, not ${url}`)
  }
  return server
}

function keyOf(text: string): PublicKey {
  const key = readPublicKey(text.replace(/=+$/, ''))
  if (key !== null) return key
  fail('invalid-key', 'publicKey', 'must be base64url of a raw Ed25519 (32 bytes) or P-256 (65 bytes) key')
}
