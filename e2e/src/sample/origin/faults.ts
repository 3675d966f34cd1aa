import { TokenBucket } from './token-bucket.js'

/** An answer that is not what it should be, in one way. */
export type Misbehaviour =
  /** A status with headers: a redirect, Retry-After. `to` gives the Location for a path. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly to?: string }
  /** 200 with this page in place of the content. */
  | { readonly page: string }
  /** So many bytes of the body, and then a cut connection or nothing any more. */
  | { readonly cutAfter: number; readonly ending: 'reset' | 'silence' }
  /** `gzip`: encoded, with the length of the encoded body. `chunked`: without a length. */
  | { readonly body: 'gzip' | 'chunked' }
  /** A part that begins so many bytes off what was asked for; a total that is so many bytes off. */
  | { readonly shift?: number; readonly total?: number }

/** Makes matching requests fail. */
export interface FailureRule {
  /** Matches when the path contains the text or fits the expression. The path has no query. */
  readonly match: string | RegExp
  /** A status; `reset` cuts the connection, `hang` never answers. */
  readonly answer: number | 'reset' | 'hang' | Misbehaviour
  /** Share of the matching requests, 0 to 1. Default 1. */
  readonly rate?: number
  /** How many requests fail before the rule is used up. Default: no limit. */
  readonly times?: number
}

interface ActiveRule {
  readonly rule: FailureRule
  left: number
}

/** What is wrong with the origin at the moment. All of it may be changed while requests are under way. */
export class Faults {
  /** Added before each response, in ms. */
  latencyMs = 0
  /** `false`: the Range header is ignored and `Accept-Ranges: none` sent. */
  ranges = true
  /** The token that segment requests must carry as `?token=`, and that playlists give; `null`: none. */
  token: string | null = null
  /** The link that all responses share. */
  readonly link = new TokenBucket()
  private rules: ActiveRule[] = []

  /** @param random 0 to 1, decides about rules with a rate */
  constructor(private readonly random: () => number) {}

  /** Caps the sum of all responses, in bytes per second; `null` lifts the cap. */
  limitBandwidth(bytesPerSecond: number | null): void {
    this.link.rate = bytesPerSecond
  }

  /** Adds a rule and returns how to take it away again. The oldest matching rule decides. */
  fail(rule: FailureRule): () => void {
    const active: ActiveRule = { rule, left: rule.times ?? Number.POSITIVE_INFINITY }
    this.rules.push(active)
    return () => {
      this.rules = this.rules.filter((other) => other !== active)
    }
  }

  /** Back to an origin without faults. */
  clear(): void {
    this.rules = []
    this.latencyMs = 0
    this.ranges = true
    this.token = null
    this.limitBandwidth(null)
  }

  /** The failure that this request meets, if any; counts it. */
  failureFor(path: string): FailureRule['answer'] | null {
    const active = this.rules.find(({ rule, left }) => left > 0 && matches(rule.match, path))
    if (active === undefined || this.random() >= (active.rule.rate ?? 1)) return null
    active.left -= 1
    return active.rule.answer
  }
}

function matches(match: string | RegExp, path: string): boolean {
  return typeof match === 'string' ? path.includes(match) : match.test(path)
}
