import { type InfoHash, MAX_TOKEN_CHARS, type Millis } from '@shoal/protocol'
import type { AddressUse } from './address-limits.js'
import { AddressLimits } from './address-limits.js'
import type { Cidr } from './addresses.js'
import { clientAddress, isIn, isLoopback, rangesOf, subjectOf } from './addresses.js'
import { Bans, suspectOf } from './bans.js'
import { isLocalOrigin, OriginList } from './origins.js'
import type { Refusal } from './refusal.js'
import type { AdmissionSettings } from './settings.js'
import { SocketGuard } from './socket-guard.js'
import type { TokenKeys } from './tokens.js'

/** What a client says with the upgrade request of its socket, headers empty where they are missing. */
export interface Knock {
  readonly remoteAddress: string
  /** All lines of X-Forwarded-For, joined by commas. */
  readonly forwardedFor: string
  readonly origin: string
  readonly query: string
}

/** Who is at the other end of a socket, as far as the tracker can tell. */
export interface Client {
  /** As text; null where it is unknown. Never told to other clients. */
  readonly address: string | null
  /** What is at the other end of the connection is this machine, and does not say that it is a proxy. */
  readonly isLocal: boolean
  /** No limits and no bans for this address. */
  readonly exempt: boolean
  readonly origin: string
  /** From the query of the socket's URL; null when there is none. */
  readonly token: string | null
}

/** What comes from files, and changes while the tracker runs. */
export interface AdmissionLists {
  /** Null: no list, all swarms. */
  allowed: ReadonlySet<InfoHash> | null
  denied: ReadonlySet<InfoHash> | null
  keys: TokenKeys
}

/**
 * Who may do what: policy without sockets, files and clocks.
 *
 * Order of the checks: what is cheap and protects the rest comes first, so that a signature is only
 * looked at for messages within the limits.
 */
export class Admission {
  readonly settings: AdmissionSettings
  readonly lists: AdmissionLists = { allowed: null, denied: null, keys: { hmac: [], ed25519: [] } }
  readonly limits: AddressLimits
  readonly bans: Bans
  /**
   * Pages of other hosts have come in from this machine: a proxy that does not say so is in front, and
   * being local says nothing.
   */
  isBehindLocalProxy = false
  /** Called when that is found out. */
  onLocalProxy: () => void = () => {}
  private readonly origins: OriginList
  private readonly proxies: readonly Cidr[]
  private readonly exempt: readonly Cidr[]
  private readonly wallClock: () => number

  /** @param wallClock ms since 1970, for the life of tokens */
  constructor(settings: AdmissionSettings, wallClock: () => number) {
    this.settings = settings
    this.limits = new AddressLimits(settings.perAddress)
    this.bans = new Bans({ seconds: settings.banSeconds })
    this.origins = new OriginList(settings.origins)
    this.proxies = rangesOf(settings.trustedProxies)
    this.exempt = rangesOf(settings.exempt)
    this.wallClock = wallClock
  }

  get secondsSince1970(): number {
    return this.wallClock() / 1000
  }

  /** Tokens are looked at: there are keys to check them with. */
  get tokensWanted(): boolean {
    const { hmacSecretFile, publicKeyFile, required } = this.settings.tokens
    return required && (hmacSecretFile !== undefined || publicKeyFile !== undefined)
  }

  /** Who knocks. */
  clientOf({ remoteAddress, forwardedFor, origin, query }: Knock): Client {
    const address = clientAddress(remoteAddress, forwardedFor, this.proxies)
    const isLocal = forwardedFor === '' && isLoopback(remoteAddress)
    if (isLocal && !this.isBehindLocalProxy && origin !== '' && !isLocalOrigin(origin)) {
      this.isBehindLocalProxy = true
      this.onLocalProxy()
    }
    return {
      address: address === null ? null : address.toString(),
      isLocal,
      exempt: address !== null && isIn(address, this.exempt),
      origin,
      token: tokenIn(query),
    }
  }

  /** Why this client gets no socket, or null; what it may try is spent then. */
  refuseSocket({ origin, exempt, address }: Client, now: Millis): Refusal | null {
    const { origins, requireOrigin } = this.settings
    if (origin === '' ? requireOrigin : origins.length > 0 && !this.origins.allows(origin)) {
      return { code: 'origin-not-allowed', reason: 'this tracker does not serve this origin' }
    }
    if (!exempt && !this.limits.mayConnect(subjectOf(address), now)) {
      return { code: 'rate-limited', reason: 'too many connections of this address' }
    }
    return null
  }

  /** The guard of an open socket: to be closed with it. */
  guard(client: Client): SocketGuard {
    const use: AddressUse | null = client.exempt ? null : this.limits.connect(subjectOf(client.address))
    return new SocketGuard(this, client, use)
  }

  /** Why this swarm is not served, or null. */
  refuseSwarm(infoHash: InfoHash): Refusal | null {
    const { allowed, denied } = this.lists
    if (denied?.has(infoHash) !== true && allowed?.has(infoHash) !== false) return null
    return { code: 'swarm-not-allowed', reason: 'this tracker does not serve this swarm' }
  }

  /** Keeps an address out of a swarm: another node of the cluster has banned it. */
  ban(infoHash: InfoHash, address: string, now: Millis): void {
    this.bans.ban(suspectOf(infoHash, address), now)
  }

  /** Forgets what is over. O(what is remembered): for a timer. */
  sweep(now: Millis): void {
    this.limits.expire(now)
    this.bans.expire(now)
  }
}

/** Stock clients cannot add keys to their announces, but their tracker's URL can have a query. */
function tokenIn(query: string): string | null {
  if (query === '' || query.length > 2 * MAX_TOKEN_CHARS) return null
  return new URLSearchParams(query).get('token')
}
