/** Sizes of keys in the order of their last use, with a bound on the sum. */
export class LruBudget {
  private readonly sizes = new Map<string, number>()
  private sum = 0

  /** @param capacity bytes at most; the newest key stays even where it alone is larger */
  constructor(readonly capacity: number) {}

  get bytes(): number {
    return this.sum
  }

  has(key: string): boolean {
    return this.sizes.has(key)
  }

  /** Adds or replaces a key as the newest, and takes out the oldest-used until the sum fits. */
  add(key: string, size: number): string[] {
    this.remove(key)
    this.sizes.set(key, size)
    this.sum += size
    const evicted: string[] = []
    for (const [oldest] of this.sizes) {
      if (this.sum <= this.capacity || oldest === key) break
      this.remove(oldest)
      evicted.push(oldest)
    }
    return evicted
  }

  touch(key: string): void {
    const size = this.sizes.get(key)
    if (size === undefined) return
    this.sizes.delete(key)
    this.sizes.set(key, size)
  }

  remove(key: string): void {
    this.sum -= this.sizes.get(key) ?? 0
    this.sizes.delete(key)
  }
}
