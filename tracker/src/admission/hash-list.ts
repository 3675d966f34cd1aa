import type { InfoHash } from '@shoal/protocol'

/** Entries of one list at most, about 100 bytes each. */
const MAX_ENTRIES = 1_000_000

/**
 * Reads a list of swarms: an info hash of 40 hexadecimal digits a line; `#` begins a comment.
 *
 * @throws Error naming the line
 */
export function readHashList(text: string): ReadonlySet<InfoHash> {
  const hashes = new Set<InfoHash>()
  for (const [i, line] of text.split('\n').entries()) {
    const entry = line.replace(/#.*/, '').trim()
    if (entry === '') continue
    if (!/^[0-9a-fA-F]{40}$/.test(entry)) throw new Error(`line ${i + 1} is not 40 hexadecimal digits`)
    hashes.add(Buffer.from(entry, 'hex').toString('latin1') as InfoHash)
    if (hashes.size > MAX_ENTRIES) throw new Error(`line ${i + 1}: more than ${MAX_ENTRIES} entries`)
  }
  return hashes
}
