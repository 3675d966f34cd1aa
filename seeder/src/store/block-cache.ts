/** Bytes of files read at once, and kept for a moment. */
export const BLOCK_BYTES = 512 * 1024

/** Blocks kept at most: 32 MiB. */
const MAX_BLOCKS = 64

/** How long a block is taken as it is, in milliseconds: then it is looked again whether its file is the same. */
const KEPT_MS = 1_000

interface Block {
  readonly bytes: Promise<Uint8Array | null>
  readonly until: number
}

/**
 * Blocks that were read a moment ago. Viewers ask for one piece after the other, and at the live edge all for
 * the same ones: a read for each of them cost a third of the seeder's time (measured).
 */
export class BlockCache {
  private readonly blocks = new Map<string, Block>()

  /** @param keptMs 0 keeps nothing */
  constructor(
    private readonly keptMs = KEPT_MS,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * A block, from `load` where it is not here; what could not be had is not kept.
   *
   * @param part which block of the file, and of which version of it
   * @param load is given the block as it was, where its time is over
   */
  get(
    file: string,
    part: string,
    load: (known: Uint8Array | null) => Promise<Uint8Array | null>,
  ): Promise<Uint8Array | null> {
    const key = `${part} ${file}`
    const known = this.blocks.get(key)
    if (known !== undefined && known.until > this.now()) return known.bytes
    const bytes = known === undefined ? load(null) : known.bytes.then(load)
    const block: Block = { bytes, until: this.now() + this.keptMs }
    this.blocks.delete(key)
    this.blocks.set(key, block)
    void block.bytes.then((bytes) => {
      if (bytes === null && this.blocks.get(key) === block) this.blocks.delete(key)
    })
    const [oldest] = this.blocks.keys()
    if (this.blocks.size > MAX_BLOCKS && oldest !== undefined) this.blocks.delete(oldest)
    return block.bytes
  }

  forget(file: string): void {
    for (const key of this.blocks.keys()) if (key.endsWith(` ${file}`)) this.blocks.delete(key)
  }

  clear(): void {
    this.blocks.clear()
  }
}
