/** Why bytes or text from outside could not be read as a message. Codes are stable. */
export type DecodeErrorCode =
  | 'empty'
  | 'truncated'
  | 'trailing-bytes'
  | 'unknown-type'
  | 'unknown-version'
  | 'too-large'
  | 'bad-value'
  | 'bad-json'
  | 'bad-sdp'
  | 'bad-candidate'

/** Thrown by every decoder of this package; nothing else is thrown for any input. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  readonly code: DecodeErrorCode

  /** @param detail for people; the browser's bundle has none */
  constructor(code: DecodeErrorCode, detail?: string) {
    super(detail === undefined ? code : `${code}: ${detail}`)
    this.code = code
  }
}
