import { type InfoHash, invalidToken, type Millis, refuseToken, type TokenClaims } from '@shoal/protocol'
import type { AnnounceMessage, ClientMessage, ScrapeMessage } from '../wire/client-message.js'
import type { AddressUse } from './address-limits.js'
import { networkOf } from './addresses.js'
import type { Admission, Client } from './admission.js'
import { suspectOf } from './bans.js'
import type { Guard } from './guard.js'
import type { Refusal } from './refusal.js'
import type { TokenKeys } from './tokens.js'
import { readToken } from './tokens.js'

/** Peers of one socket whose tokens were good that are remembered; more show theirs again. */
const MAX_ADMITTED = 64

const TOO_FAST: Refusal = { code: 'rate-limited', reason: 'too many messages of this address: slow down' }
const NO_TOKEN: Refusal = { code: 'token-required', reason: 'this tracker wants a join token' }
const UNREADABLE = invalidToken('is out of form or signed by nobody known')
const BANNED: Refusal = { code: 'banned', reason: 'peers of several networks reported wrong data' }

/** What one socket may do: the limits of its address, and what its tokens let it into. */
export class SocketGuard implements Guard {
  private readonly admission: Admission
  private readonly client: Client
  /** Null for an address without limits. */
  private readonly use: AddressUse | null
  /** Info hash and peer id of those that were let in: a token is for joining, not for staying. */
  private admitted: Set<string> | null = null
  /** As `admitted`, of those whose tokens say that they are the operator's own seeders. */
  private seeders: Set<string> | null = null
  /** The last peer whose token did not say so: to be asked again costs the tracker nothing. */
  private notSeeder = ''
  /** The last token that no key had signed: to be sent again costs the tracker nothing. */
  private bad: { readonly token: string; readonly keys: TokenKeys } | null = null

  constructor(admission: Admission, client: Client, use: AddressUse | null) {
    this.admission = admission
    this.client = client
    this.use = use
  }

  /** Counts the bytes of a message that is not read yet; why it must not be read, or null. */
  checkBytes(bytes: number, now: Millis): Refusal | null {
    return this.use === null || this.admission.limits.mayReceive(this.use, bytes, now) ? null : TOO_FAST
  }

  check(message: ClientMessage, now: Millis): Refusal | null {
    const { use, admission } = this
    const offers = message.type === 'announce' ? matched(message) : 0
    if (use !== null && !admission.limits.mayAnnounce(use, offers, now)) return TOO_FAST
    if (message.type === 'scrape') return this.checkScrape(message)
    // Answers and candidates pass only between peers whose announces have been let in.
    if (message.type !== 'announce' || message.event === 'stopped') return null
    const { infoHash } = message
    const listed = admission.refuseSwarm(infoHash)
    if (listed !== null) return listed
    if (
      use !== null &&
      admission.bans.size > 0 &&
      admission.bans.isBanned(suspectOf(infoHash, use.subject), now)
    ) {
      return BANNED
    }
    return admission.tokensWanted ? this.checkToken(message) : null
  }

  get network(): string {
    return networkOf(this.client.address)
  }

  mayAccuse(now: Millis): boolean {
    return this.admission.bans.mayReport(this.network, now)
  }

  accused(network: string, infoHash: InfoHash, now: Millis): string | null {
    if (this.use === null) return null
    const { subject } = this.use
    return this.admission.bans.report(suspectOf(infoHash, subject), this.network, network, now)
      ? subject
      : null
  }

  get isLocal(): boolean {
    return this.client.isLocal && !this.admission.isBehindLocalProxy
  }

  isOwnSeeder({ infoHash, peerId, shoal }: AnnounceMessage): boolean {
    const { hmac, ed25519 } = this.admission.lists.keys
    if (hmac.length + ed25519.length === 0) return false
    const key = infoHash + peerId
    if (this.seeders?.has(key) === true) return true
    if (this.notSeeder === key) return false
    const read = this.read(shoal?.token ?? this.client.token, infoHash, peerId)
    if ('code' in read || !read.seeder) {
      this.notSeeder = key
      return false
    }
    this.seeders ??= new Set()
    if (this.seeders.size < MAX_ADMITTED) this.seeders.add(key)
    return true
  }

  /** The socket is gone. */
  close(now: Millis): void {
    if (this.use !== null) this.admission.limits.disconnect(this.use, now)
  }

  private checkScrape({ infoHashes }: ScrapeMessage): Refusal | null {
    for (const infoHash of infoHashes) {
      const listed = this.admission.refuseSwarm(infoHash)
      if (listed !== null) return listed
      if (!this.admission.tokensWanted || this.knows(infoHash)) continue
      const refusal = this.weigh(this.client.token, infoHash, null)
      if (refusal !== null) return refusal
    }
    return null
  }

  private checkToken({ infoHash, peerId, shoal }: AnnounceMessage): Refusal | null {
    const key = infoHash + peerId
    if (this.admitted?.has(key) === true) return null
    const refusal = this.weigh(shoal?.token ?? this.client.token, infoHash, peerId)
    if (refusal !== null) return refusal
    this.admitted ??= new Set()
    if (this.admitted.size < MAX_ADMITTED) this.admitted.add(key)
    return null
  }

  private weigh(token: string | null, infoHash: InfoHash, peerId: string | null): Refusal | null {
    const read = this.read(token, infoHash, peerId)
    return 'code' in read ? read : null
  }

  /** What a token that is good for this peer says, or why it is not. */
  private read(token: string | null, infoHash: InfoHash, peerId: string | null): TokenClaims | Refusal {
    if (token === null) return NO_TOKEN
    const { keys } = this.admission.lists
    if (this.bad?.token === token && this.bad.keys === keys) return UNREADABLE
    const claims = readToken(token, keys)
    if (claims === null) {
      this.bad = { token, keys }
      return UNREADABLE
    }
    const { origin } = this.client
    return refuseToken(claims, { infoHash, peerId, origin }, this.admission.secondsSince1970) ?? claims
  }

  /** A peer of this socket has been let into this swarm. */
  private knows(infoHash: InfoHash): boolean {
    if (this.admitted === null) return false
    for (const key of this.admitted) if (key.startsWith(infoHash)) return true
    return false
  }
}

/** For how many offers of an announce somebody has to be found. For who was named before, it was counted then. */
function matched({ offers, shoal }: AnnounceMessage): number {
  let count = shoal?.want ?? 0
  for (const { target } of offers) if (target === null || target === 'elsewhere') count++
  return count
}
