/** What is wrong with an option. */
export type ShoalConfigErrorCode =
  /** The option's value has another type than the documentation says. */
  | 'invalid-type'
  /** A number is outside its range, or a list is too long. */
  | 'out-of-range'
  /** A tracker URL is not `ws://` or `wss://`, or an ICE server's not `stun:` or `turn:`. */
  | 'invalid-url'
  /** `publicKey` is not base64url of a raw key. */
  | 'invalid-key'
  /** There is no option of this name. */
  | 'unknown-option'

/**
 * A mistake in the options, thrown by `new Shoal()` and by nothing else: at run time every failure
 * degrades to plain HTTP and is reported in `stats.degraded`.
 */
export class ShoalConfigError extends TypeError {
  override readonly name = 'ShoalConfigError'

  /**
   * @param code stable, for programs
   * @param key path of the option, such as `upload.maxBytesPerSecond`
   * @param problem for people
   */
  constructor(
    readonly code: ShoalConfigErrorCode,
    readonly key: string,
    problem: string,
  ) {
    super(`Shoal option ${key}: ${problem}`)
  }
}
