import type { IntegrityReports } from '@shoal/protocol'
import {
  MAX_ANNOUNCED_KEYS,
  MAX_REPORTED_LISTS,
  MAX_WRONG_LISTS,
  readAnnouncedKeys,
  readSegmentLists,
} from '@shoal/protocol'
import { ExtensionError } from './extension-error.js'

/**
 * Reads what an announce tells of keys and segments; only the fields that are there: in most announces
 * none is.
 *
 * @throws ExtensionError
 */
export function readIntegrity({ keys, lists, wrong }: Readonly<Record<string, unknown>>): IntegrityReports {
  return {
    ...(isGiven(keys) ? { keys: readKeys(keys) } : {}),
    ...(isGiven(lists) ? { lists: readLists('lists', lists, MAX_REPORTED_LISTS) } : {}),
    ...(isGiven(wrong) ? { wrong: readLists('wrong', wrong, MAX_WRONG_LISTS) } : {}),
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

function readKeys(value: unknown): readonly string[] {
  const keys = readAnnouncedKeys(value)
  if (keys !== null) return keys
  throw new ExtensionError(
    `shoal.keys: not a list of up to ${MAX_ANNOUNCED_KEYS} public keys in base64url (Ed25519 or P-256)`,
  )
}

function readLists(key: string, value: unknown, max: number) {
  const lists = readSegmentLists(value, max)
  if (lists !== null) return lists
  throw new ExtensionError(`shoal.${key}: not a list of up to ${max} {s: segment, h: list digest}`)
}
