import type {
  AnnounceExtension,
  IceCandidate,
  MatchingHints,
  NatType,
  PeerId,
  PeerReport,
} from '@shoal/protocol'
import {
  DecodeError,
  dialAddressText,
  isBinaryString20,
  MAX_CANDIDATES,
  MAX_PLAYHEAD_SECONDS,
  MAX_TOKEN_CHARS,
  MAX_WANTED,
  readCandidate,
  readDialAddress,
  TRACKER_EXTENSION_VERSION,
} from '@shoal/protocol'
import { ExtensionError } from './extension-error.js'
import { readIntegrity } from './integrity-extension.js'

/** Longest name of a title on the dashboard, in characters; the rest is cut off. */
const MAX_NAME_CHARS = 80

/**
 * Largest counter in a report, in bytes: 1 PiB. A viewer at 100 Mbit/s needs two years for it, and
 * sums over a million peers stay exact enough in a double.
 */
const MAX_REPORTED = 2 ** 50

/** Fastest uplink that a peer may claim, in bytes per second: 10 Gbit/s. */
const MAX_UPLINK = 1.25e9

/** Most connections that a peer may claim to have, or to have room for. */
const MAX_LINKS = 10_000

/** Longest upload queue, in ms: the protocol's Have tells up to 65,534. */
const MAX_BACKLOG_MS = 65_535

/** Most connections tried that a peer may claim. */
const MAX_ATTEMPTS = 1_000_000_000

/** Peers that one announce may accuse. */
const MAX_ACCUSED = 4

/** Longest HTTP address of a seeder, in characters. */
const MAX_HTTP_CHARS = 512

const NAT_TYPES: readonly unknown[] = ['open', 'cone', 'symmetric', 'unknown'] satisfies NatType[]

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads the `shoal` key of an announce (docs/protocol.md, "Tracker messages").
 *
 * @throws ExtensionError
 */
export function readExtension(value: unknown): AnnounceExtension {
  const fields = versioned(value)
  const { role, report, name } = fields
  if (role !== 'viewer' && role !== 'seeder')
    throw new ExtensionError('shoal.role: neither viewer nor seeder')
  if (name !== undefined && name !== null && typeof name !== 'string') {
    throw new ExtensionError('shoal.name: not a string')
  }
  return {
    v: TRACKER_EXTENSION_VERSION,
    role,
    ...readHints(fields),
    ...readAdmission(fields),
    ...(fields['keys'] || fields['lists'] || fields['wrong'] ? readIntegrity(fields) : {}),
    ...(report === undefined || report === null ? {} : { report: readReport(report) }),
    ...readWant(fields['want']),
    ...(typeof name === 'string' && name.length > 0 ? { name: name.slice(0, MAX_NAME_CHARS) } : {}),
  }
}

/**
 * Reads `shoal.candidates`.
 *
 * @throws ExtensionError
 */
export function readCandidates(value: unknown): readonly IceCandidate[] {
  const list = versioned(value)['candidates']
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_CANDIDATES) {
    throw new ExtensionError(`shoal.candidates: not a list of 1 to ${MAX_CANDIDATES}`)
  }
  try {
    return list.map(readCandidate)
  } catch (error) {
    if (error instanceof DecodeError) throw new ExtensionError(`shoal.candidates: ${error.message}`)
    throw error
  }
}

function versioned(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ExtensionError('shoal: not an object')
  }
  const fields = value as Fields
  if (fields['v'] !== TRACKER_EXTENSION_VERSION) {
    throw new ExtensionError(`shoal.v: only version ${TRACKER_EXTENSION_VERSION} is known`)
  }
  return fields
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Only the fields that are there: in most announces of a swarm none is. */
function readHints(fields: Fields): MatchingHints {
  const hints: Mutable<MatchingHints> = {}
  const number = (key: HintKey, max: number): void => {
    const value = fields[key]
    if (value === undefined || value === null) return
    if (typeof value !== 'number' || !(value >= 0 && value <= max)) {
      throw new ExtensionError(`shoal.${key}: not a number from 0 to ${max}`)
    }
    hints[key] = value
  }
  number('uplink', MAX_UPLINK)
  number('slots', MAX_LINKS)
  number('playhead', MAX_PLAYHEAD_SECONDS)
  number('degree', MAX_LINKS)
  number('backlog', MAX_BACKLOG_MS)
  number('ok', MAX_ATTEMPTS)
  number('failed', MAX_ATTEMPTS)
  const { uploads, nat } = fields
  if (uploads !== undefined && uploads !== null) {
    if (typeof uploads !== 'boolean') throw new ExtensionError('shoal.uploads: neither true nor false')
    hints.uploads = uploads
  }
  if (nat !== undefined && nat !== null) {
    if (!NAT_TYPES.includes(nat)) throw new ExtensionError(`shoal.nat: none of ${NAT_TYPES.join(', ')}`)
    hints.nat = nat as NatType
  }
  return hints
}

type Admission = Pick<AnnounceExtension, 'token' | 'accuse' | 'http' | 'dial'>

function readAdmission({ token, accuse, http, dial }: Fields): Admission {
  const read: Mutable<Admission> = {}
  if (token !== undefined && token !== null) {
    if (typeof token !== 'string' || token.length > MAX_TOKEN_CHARS) {
      throw new ExtensionError(`shoal.token: not a string of up to ${MAX_TOKEN_CHARS} characters`)
    }
    read.token = token
  }
  if (accuse !== undefined && accuse !== null) {
    if (!Array.isArray(accuse) || accuse.length > MAX_ACCUSED || !accuse.every(isBinaryString20)) {
      throw new ExtensionError(`shoal.accuse: not a list of up to ${MAX_ACCUSED} peer ids`)
    }
    read.accuse = accuse as unknown[] as PeerId[]
  }
  if (http !== undefined && http !== null) {
    if (typeof http !== 'string' || http.length > MAX_HTTP_CHARS || !/^https?:\/\//.test(http)) {
      throw new ExtensionError(`shoal.http: not an http or https URL of up to ${MAX_HTTP_CHARS} characters`)
    }
    read.http = http
  }
  if (dial !== undefined && dial !== null) {
    try {
      read.dial = dialAddressText(readDialAddress(dial))
    } catch (error) {
      if (error instanceof DecodeError) throw new ExtensionError(`shoal.dial: ${error.message}`)
      throw error
    }
  }
  return read
}

function readWant(want: unknown): Pick<AnnounceExtension, 'want'> {
  if (want === undefined || want === null) return {}
  if (typeof want !== 'number' || !Number.isInteger(want) || want < 1 || want > MAX_WANTED) {
    throw new ExtensionError(`shoal.want: not a whole number from 1 to ${MAX_WANTED}`)
  }
  return { want }
}

type HintKey = 'uplink' | 'slots' | 'playhead' | 'degree' | 'backlog' | 'ok' | 'failed'

function readReport(value: unknown): PeerReport {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ExtensionError('shoal.report: not an object')
  }
  const fields = value as Fields
  return {
    http: counter(fields, 'http'),
    peers: counter(fields, 'peers'),
    seeders: counter(fields, 'seeders'),
    uploaded: counter(fields, 'uploaded'),
    links: counter(fields, 'links'),
    stalls: counter(fields, 'stalls'),
  }
}

function counter(fields: Fields, key: keyof PeerReport): number {
  const value = fields[key]
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_REPORTED)) {
    throw new ExtensionError(`shoal.report.${key}: not a number from 0 to 2^50`)
  }
  return value
}
