import type { NodeId } from './bus.js'

/** Version of what nodes say to each other; nodes of different versions do not hear each other. */
export const VERSION = 2

/** Largest frame taken from the bus, in bytes. */
export const MAX_FRAME_BYTES = 1024 * 1024

/** Entries of one frame at most. */
export const MAX_ENTRIES = 4096

/** Longest address or network as admission writes them, in characters. */
export const MAX_ADDRESS_CHARS = 64

export function isAddress(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ADDRESS_CHARS
}

export function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

export function isNodeId(value: unknown): value is NodeId {
  return typeof value === 'string' && /^[0-9a-f]{16}$/.test(value)
}
