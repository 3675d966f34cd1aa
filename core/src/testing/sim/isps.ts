import { drawOf } from './draw.js'
import type { Person } from './population.js'
import type { SimOptions } from './sim-options.js'

/** Cities that each provider has viewers in. */
const CITIES = 8

/**
 * Members from which on a provider could give each of them only neighbours of its own: more than a
 * viewer has connections.
 */
const LARGE_ENOUGH = 17

/** Where a viewer lives: a draw of its own, so that the run is the same with providers and without. */
export function homeOf({ seed, isps }: SimOptions, index: number): Pick<Person, 'isp' | 'city'> {
  if (isps === 0) return { isp: 0, city: 0 }
  // Zipf's law with exponent 1, as in the bench of the matching.
  let total = 0
  for (let rank = 1; rank <= isps; rank++) total += 1 / rank
  let left = drawOf(seed, 41, index, 1) * total
  let isp = 1
  for (; isp < isps; isp++) {
    left -= 1 / isp
    if (left < 0) break
  }
  return { isp, city: Math.floor(drawOf(seed, 41, index, 2) * CITIES) }
}

/** A share of what viewers have, of those whose provider has members enough and of all; null where nobody has any. */
interface IspShares {
  readonly ofLarge: number | null
  readonly ofAll: number | null
}

/** What viewers had within their provider, and in all: payload bytes that came, or connections. */
export class IspTally {
  private readonly inside = new Map<number, number>()
  private readonly all = new Map<number, number>()

  add({ isp }: Person, other: Person, amount: number): void {
    this.all.set(isp, (this.all.get(isp) ?? 0) + amount)
    if (other.isp === isp) this.inside.set(isp, (this.inside.get(isp) ?? 0) + amount)
  }

  /** @param present viewers that the providers' sizes are counted from */
  shares(present: readonly Person[]): IspShares {
    const sizes = new Map<number, number>()
    for (const { isp } of present) sizes.set(isp, (sizes.get(isp) ?? 0) + 1)
    const share = (members: number): number | null => {
      let inside = 0
      let all = 0
      for (const [isp, amount] of this.all) {
        if (isp === 0 || (sizes.get(isp) ?? 0) < members) continue
        all += amount
        inside += this.inside.get(isp) ?? 0
      }
      return all === 0 ? null : inside / all
    }
    return { ofLarge: share(LARGE_ENOUGH), ofAll: share(1) }
  }
}
