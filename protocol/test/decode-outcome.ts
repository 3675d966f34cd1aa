import type { DecodeErrorCode } from '../src/errors.js'
import { DecodeError } from '../src/errors.js'

/** Code of the `DecodeError` that `read` throws, null where it throws nothing; all else goes through. */
export function decodeErrorCode(read: () => unknown): DecodeErrorCode | null {
  try {
    read()
    return null
  } catch (error) {
    if (error instanceof DecodeError) return error.code
    throw error
  }
}
