import { isPlainJsonString } from './scan-message.js'
import type { WireText } from './wire-text.js'
import { wireText } from './wire-text.js'

/** Bytes that one character of a JSON string takes at most: an escape of six. */
const MAX_BYTES_PER_CHAR = 6

/**
 * A JSON string that came as text and may go into a message as it is.
 *
 * @param maxChars of what it stands for
 * @returns null for anything that is none, or that is longer
 */
export function readStringJson(value: unknown, maxChars: number): WireText | null {
  if (typeof value !== 'string' || value.length > maxChars * MAX_BYTES_PER_CHAR + 2) return null
  if (value.length <= maxChars + 2 && isPlainJsonString(value)) return value as WireText
  try {
    const text: unknown = JSON.parse(Buffer.from(value, 'latin1').toString('utf8'))
    return typeof text === 'string' && text.length <= maxChars ? wireText(JSON.stringify(text)) : null
  } catch {
    return null
  }
}
