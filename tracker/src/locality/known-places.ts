import type { Address } from './address.js'
import { hash32, readAddress } from './address.js'
import type { CostMap } from './alto.js'
import type { Locality, Place } from './place.js'
import { ladderCost, UNKNOWN_PLACE } from './place.js'
import type { Found, Source } from './source.js'

/** Addresses whose place is remembered, about 300 bytes each: those who connect now, and reconnect. */
const MAX_REMEMBERED = 65_536

/** Where no cost map knows the pair. */
const NO_COSTS: CostMap = new Map()

/**
 * Where addresses are, by what the sources know: for each fact the first source that knows it, and the
 * prefix where none does. Nothing that it says names a network or a country.
 */
export class KnownPlaces implements Locality {
  version = 1
  private readonly sources: (Source | null)[]
  private costs: CostMap = NO_COSTS
  private readonly remembered = new Map<string, Place>()

  /** @param count of sources; each is put in with `replace` */
  constructor(count: number) {
    this.sources = Array.from({ length: count }, () => null)
  }

  /** Puts a source where an earlier version of it was. */
  replace(index: number, source: Source): void {
    this.sources[index] = source
    this.changed()
  }

  /** Costs that go before everything but the site. */
  replaceCosts(costs: CostMap): void {
    this.costs = costs
    this.changed()
  }

  placeOf(text: string): Place {
    const known = this.remembered.get(text)
    if (known !== undefined) return known
    const address = readAddress(text)
    const place = address === null ? UNKNOWN_PLACE : placeFrom(address, this.find(address))
    this.remember(text, place)
    return place
  }

  cost(a: Place, b: Place): number {
    if (a.pid === 0 || b.pid === 0 || (a.site === b.site && a.site !== 0)) return ladderCost(a, b)
    const there = this.costs.get(a.pid)?.get(b.pid)
    const back = this.costs.get(b.pid)?.get(a.pid)
    if (there === undefined && back === undefined) return ladderCost(a, b)
    return Math.round(((there ?? back ?? 0) + (back ?? there ?? 0)) / 2)
  }

  private find(address: Address): Found {
    let { as, country, continent, metro, pid }: Found = {}
    for (const source of this.sources) {
      const found = source?.find(address) ?? null
      if (found === null) continue
      as ??= found.as
      country ??= found.country
      continent ??= found.continent
      metro ??= found.metro
      pid ??= found.pid
    }
    return { as, country, continent, metro, pid }
  }

  /** The longest remembered makes room. */
  private remember(text: string, place: Place): void {
    if (this.remembered.size >= MAX_REMEMBERED) {
      for (const oldest of this.remembered.keys()) {
        this.remembered.delete(oldest)
        break
      }
    }
    this.remembered.set(text, place)
  }

  private changed(): void {
    this.remembered.clear()
    this.version++
  }
}

function placeFrom({ kind, bytes }: Address, { as, country, continent, metro, pid }: Found): Place {
  const begin = (length: number) => hash32(kind, ...bytes.slice(0, length))
  const [site, near, wide] = kind === 'ipv4' ? [4, 3, 2] : [8, 6, 4]
  const named = pid ?? as
  return {
    site: begin(site),
    local: named !== undefined && metro !== undefined ? hash32('metro', named, metro) : begin(near),
    network: named === undefined ? begin(wide) : hash32('network', named),
    country: letters(country),
    continent: letters(continent),
    pid: pid === undefined ? 0 : hash32(pid),
    known: named !== undefined,
  }
}

/** 1 to 676 for two capital letters, 0 for none. */
function letters(code: string | undefined): number {
  return code === undefined ? 0 : (code.charCodeAt(0) - 65) * 26 + code.charCodeAt(1) - 64
}
