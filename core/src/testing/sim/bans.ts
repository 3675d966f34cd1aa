import type { Person } from './population.js'

/** Whom honest viewers banned. */
export class Bans {
  private readonly pairs = new Set<string>()
  private readonly banned = new Set<Person>()

  add(by: Person, who: Person): void {
    this.pairs.add(`${by.index} ${who.index}`)
    this.banned.add(who)
  }

  /** Distinct pairs of who banned and who was banned. */
  get count(): number {
    return this.pairs.size
  }

  /** Viewers that somebody banned. */
  countOf(hostile: boolean): number {
    return [...this.banned].filter((person) => (person.hostile !== null) === hostile).length
  }
}
