import type { AnnounceExtension, IceCandidate, PeerReport } from '@shoal/protocol'
import { DecodeError, MAX_CANDIDATES, readCandidate, TRACKER_EXTENSION_VERSION } from '@shoal/protocol'

/** Longest name of a title on the dashboard, in characters; the rest is cut off. */
const MAX_NAME_CHARS = 80

/**
 * Largest counter in a report, in bytes: 1 PiB. A viewer at 100 Mbit/s needs two years for it, and
 * sums over a million peers stay exact enough in a double.
 */
const MAX_REPORTED = 2 ** 50

/** Something in the `shoal` key of an announce is out of form. The message names the key. */
export class ExtensionError extends Error {
  override readonly name = 'ExtensionError'
}

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
    ...(report === undefined || report === null ? {} : { report: readReport(report) }),
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
