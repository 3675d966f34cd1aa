/** Why a seeder could not start. Codes are stable. */
export type SeederErrorCode =
  /** Wrong options: the message says how to use them. */
  | 'usage'
  | 'origin-unreachable'
  | 'origin-status'
  | 'not-a-playlist'
  | 'no-playlist'
  | 'bad-key'
  | 'bad-token-file'
  | 'cache-unusable'
  | 'port-in-use'
  | 'listen-failed'

/** What keeps a seeder from starting: one line for people, that says what and how to mend it. */
export class SeederError extends Error {
  override readonly name = 'SeederError'
  readonly code: SeederErrorCode

  constructor(code: SeederErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
