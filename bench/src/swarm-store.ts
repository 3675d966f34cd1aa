import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Environment, environment } from './environment.js'
import type { SwarmRow } from './swarm-result.js'

/** A row of one cell on disk. */
export interface StoredSwarmRow {
  readonly bench: 'swarm'
  readonly environment: Environment
  readonly row: SwarmRow
}

type Key = Pick<SwarmRow, 'scenario' | 'viewers' | 'seed' | 'seconds' | 'originX'> & {
  readonly system: string
}

/** One file for each row of each cell, so that a matrix that was cut short goes on where it was. */
export class SwarmStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** What is there from before; null where nothing is, or nothing that can be read. */
  async read(key: Key): Promise<SwarmRow | null> {
    const text = await readFile(this.#file(key), 'utf8').catch(() => null)
    if (text === null) return null
    try {
      const stored = JSON.parse(text) as Partial<StoredSwarmRow>
      return stored.bench === 'swarm' && stored.row !== undefined ? stored.row : null
    } catch {
      return null
    }
  }

  async write(row: SwarmRow): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const file = this.#file(row)
    const stored: StoredSwarmRow = { bench: 'swarm', environment: await environment(), row }
    await writeFile(`${file}.new`, `${JSON.stringify(stored, null, 1)}\n`)
    await rename(`${file}.new`, file)
  }

  #file({ scenario, viewers, seed, seconds, originX, system }: Key): string {
    const origin = originX === null ? '' : `-${originX}x`
    return join(this.#folder, `swarm-${scenario}-n${viewers}-s${seed}-${seconds}s${origin}-${system}.json`)
  }
}
