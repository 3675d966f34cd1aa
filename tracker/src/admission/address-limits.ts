import { RateLimit } from './rate-limit.js'

/** What one address may do. Rates are per second, over `burstSeconds` at once. */
export interface AddressLimitSettings {
  readonly connections: number
  readonly connectsPerSecond: number
  readonly announcesPerSecond: number
  readonly offersPerSecond: number
  readonly bytesPerSecond: number
  readonly burstSeconds: number
}

/**
 * Addresses without a connection whose spent bursts are remembered, about 250 bytes each; the oldest
 * makes room. Those with one are bounded by the number of connections.
 */
const MAX_LINGERING = 50_000

/** One address: its connections, and when each of its buckets is full again. */
export interface AddressUse {
  readonly subject: string
  connections: number
  connects: number
  announces: number
  offers: number
  bytes: number
}

/** Counts what addresses do, and says when it is too much. Time is handed in, in ms. */
export class AddressLimits {
  private readonly maxConnections: number
  private readonly connects: RateLimit
  private readonly announces: RateLimit
  private readonly offers: RateLimit
  private readonly bytes: RateLimit
  private readonly active = new Map<string, AddressUse>()
  private readonly lingering = new Map<string, AddressUse>()

  constructor(settings: AddressLimitSettings) {
    const { burstSeconds } = settings
    this.maxConnections = settings.connections
    this.connects = new RateLimit(settings.connectsPerSecond, burstSeconds)
    this.announces = new RateLimit(settings.announcesPerSecond, burstSeconds)
    this.offers = new RateLimit(settings.offersPerSecond, burstSeconds)
    this.bytes = new RateLimit(settings.bytesPerSecond, burstSeconds)
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.active.size + this.lingering.size
  }

  /** True when a connection of this address may be opened: its right to try is spent. */
  mayConnect(subject: string, now: number): boolean {
    const use = this.active.get(subject) ?? this.lingering.get(subject) ?? unused(subject)
    if (use.connections >= this.maxConnections) return false
    const connects = this.connects.take(use.connects, 1, now)
    if (connects === null) return false
    use.connects = connects
    if (use.connections === 0) this.linger(use)
    return true
  }

  /** A connection of this address is open; it must be given back with `disconnect`. */
  connect(subject: string): AddressUse {
    const use = this.active.get(subject) ?? this.lingering.get(subject) ?? unused(subject)
    this.lingering.delete(subject)
    this.active.set(subject, use)
    use.connections++
    return use
  }

  disconnect(use: AddressUse, now: number): void {
    use.connections--
    if (use.connections > 0) return
    this.active.delete(use.subject)
    if (!isRested(use, now)) this.linger(use)
  }

  mayReceive(use: AddressUse, bytes: number, now: number): boolean {
    const next = this.bytes.take(use.bytes, bytes, now)
    if (next === null) return false
    use.bytes = next
    return true
  }

  /** One message, with so many offers: both pass or neither. */
  mayAnnounce(use: AddressUse, offers: number, now: number): boolean {
    const announces = this.announces.take(use.announces, 1, now)
    const relays = this.offers.take(use.offers, offers, now)
    if (announces === null || relays === null) return false
    use.announces = announces
    use.offers = relays
    return true
  }

  /** Forgets the addresses whose buckets are full again. */
  expire(now: number): void {
    for (const [subject, use] of this.lingering) if (isRested(use, now)) this.lingering.delete(subject)
  }

  private linger(use: AddressUse): void {
    this.lingering.delete(use.subject)
    this.lingering.set(use.subject, use)
    if (this.lingering.size <= MAX_LINGERING) return
    for (const oldest of this.lingering.keys()) {
      this.lingering.delete(oldest)
      return
    }
  }
}

function unused(subject: string): AddressUse {
  return { subject, connections: 0, connects: 0, announces: 0, offers: 0, bytes: 0 }
}

function isRested({ connects, announces, offers, bytes }: AddressUse, now: number): boolean {
  return connects <= now && announces <= now && offers <= now && bytes <= now
}
