import type { Random } from '../swarm/candidates.js'

/** Beyond it both numbers begin anew, long before they lose digits. */
const RESTART = 1_000_000

/**
 * Draws with given chances, spread evenly: when the chances add up to *n*, at least *n* - 1 and at most *n* + 1
 * are drawn, where independent draws might all miss. Which ones is chance: one place in each unit of their sum.
 */
export class EvenDraws {
  private sum = 0
  private next: number
  private readonly random: Random

  constructor(random: Random) {
    this.random = random
    this.next = random()
  }

  /** @param mean how often to draw, on average @returns how often it is drawn */
  draw(mean: number): number {
    let drawn = 0
    this.sum += mean
    while (this.next < this.sum) {
      drawn++
      this.next = Math.floor(this.next) + 1 + this.random()
    }
    if (this.sum > RESTART) {
      const whole = Math.floor(this.sum)
      this.sum -= whole
      this.next -= whole
    }
    return drawn
  }
}
