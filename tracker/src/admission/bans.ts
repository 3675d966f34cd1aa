import type { InfoHash } from '@shoal/protocol'

/** Suspects and bans that are remembered at most; the oldest makes room. */
const MAX_SUSPECTS = 10_000
const MAX_BANS = 50_000

/** Networks whose reports are counted at most; the oldest makes room. */
const MAX_REPORTERS = 50_000

/**
 * Suspects that one network may report in the life of a report. A network in which many viewers play
 * sees a few polluters at most; one that reports everybody is not believed any more.
 */
const MAX_REPORTS_PER_NETWORK = 8

/** Networks that have to report a suspect. Fewer could be one person's. */
const REPORTERS_FOR_BAN = 3

export interface BanSettings {
  /** How long a ban lasts, and a report counts. */
  readonly seconds: number
}

interface Suspect {
  readonly networks: Set<string>
  until: number
}

interface Reporter {
  count: number
  until: number
}

/**
 * Reports of polluters. A report is worth the same whoever makes it: one voice for each network,
 * however many peers it has, so that neighbours of one network cannot get anybody banned. Votes of a
 * suspect's own network do not count: it could only be there to fill the tables.
 *
 * Time is handed in, in ms.
 */
export class Bans {
  private readonly lifeMs: number
  private readonly suspects = new Map<string, Suspect>()
  private readonly reporters = new Map<string, Reporter>()
  private readonly bans = new Map<string, number>()

  constructor({ seconds }: BanSettings) {
    this.lifeMs = seconds * 1000
  }

  /** Bans that are in force, or not swept out yet. */
  get size(): number {
    return this.bans.size
  }

  isBanned(suspect: string, now: number): boolean {
    const until = this.bans.get(suspect)
    return until !== undefined && until > now
  }

  /**
   * One report.
   *
   * @param suspect whom it is about, and where: an address and a swarm
   * @param network the reporter's
   * @param suspectNetwork the suspect's
   * @returns true when the suspect is banned with this report
   */
  report(suspect: string, suspectNetwork: string, network: string, now: number): boolean {
    if (network === suspectNetwork || this.isBanned(suspect, now)) return false
    const known = this.suspects.get(suspect)
    const { networks } = known !== undefined && known.until > now ? known : { networks: new Set<string>() }
    if (networks.has(network) || !this.mayReport(network, now)) return false
    networks.add(network)
    this.suspects.delete(suspect)
    if (networks.size >= REPORTERS_FOR_BAN) {
      this.ban(suspect, now)
      return true
    }
    keep(this.suspects, suspect, { networks, until: now + this.lifeMs }, MAX_SUSPECTS)
    return false
  }

  /** Bans without further reports: another node of the cluster had them. */
  ban(suspect: string, now: number): void {
    keep(this.bans, suspect, now + this.lifeMs, MAX_BANS)
  }

  /** True when this network may report once more; that right is spent then. */
  mayReport(network: string, now: number): boolean {
    const known = this.reporters.get(network)
    const reporter = known !== undefined && known.until > now ? known : { count: 0, until: now + this.lifeMs }
    if (reporter.count >= MAX_REPORTS_PER_NETWORK) return false
    reporter.count++
    keep(this.reporters, network, reporter, MAX_REPORTERS)
    return true
  }

  /** Forgets what is over. */
  expire(now: number): void {
    for (const [key, until] of this.bans) if (until <= now) this.bans.delete(key)
    for (const [key, { until }] of this.suspects) if (until <= now) this.suspects.delete(key)
    for (const [key, { until }] of this.reporters) if (until <= now) this.reporters.delete(key)
  }
}

/** Who is banned, and where: an address in a swarm. */
export function suspectOf(infoHash: InfoHash, address: string): string {
  return infoHash + address
}

/** Sets an entry as the newest, and drops the oldest beyond `max`. */
function keep<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= max) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
