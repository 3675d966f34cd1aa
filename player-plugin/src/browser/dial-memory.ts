import type { DialMemory } from '@shoal/core'
import { type DialAddress, dialAddressText, hexOf, type InfoHash, readDialAddress } from '@shoal/protocol'

/** The one key that is used. */
const KEY = 'shoal.seeders'

/** How long an address is remembered after it last worked, in milliseconds: a day. */
const LIFE_MS = 86_400_000

/** Addresses of all titles together. */
const MAX_ENTRIES = 16

/** Title, address, and until when it counts, in milliseconds since 1970. */
type Entry = readonly [title: string, address: string, until: number]

/** What is used of `sessionStorage`. */
export type DialStorage = Pick<Storage, 'getItem' | 'setItem'>

/**
 * Seeders that the tracker told of, for the next load of the page in this tab: then they are reached though
 * the tracker is not. Nothing is kept where the browser refuses to.
 *
 * @param storage may throw where it is looked for
 * @param now milliseconds since 1970
 */
export function createDialMemory(
  storage: () => DialStorage | undefined,
  infoHash: InfoHash,
  now: () => number,
): DialMemory {
  const title = hexOf(infoHash)
  const read = (): Entry[] => {
    try {
      const list: unknown = JSON.parse(storage()?.getItem(KEY) ?? '[]')
      return Array.isArray(list) ? list.slice(0, MAX_ENTRIES).filter(isEntry) : []
    } catch {
      return []
    }
  }
  const change = (address: DialAddress, until: number): void => {
    const text = dialAddressText(address)
    const others = read().filter(([of, known]) => of !== title || known !== text)
    const entries = [[title, text, until] as const, ...others]
    try {
      storage()?.setItem(KEY, JSON.stringify(entries.slice(0, MAX_ENTRIES)))
    } catch {
      // Full, or refused: then the tracker is asked next time.
    }
  }
  return {
    recall: () =>
      read()
        .filter(([of, , until]) => of === title && until > now() && until <= now() + LIFE_MS)
        .flatMap(([, text]) => {
          try {
            return [readDialAddress(text)]
          } catch {
            return []
          }
        }),
    worked: (address) => change(address, now() + LIFE_MS),
    failed: (address) => change(address, 0),
  }
}

function isEntry(value: unknown): value is Entry {
  return Array.isArray(value) && value.length === 3 && typeof value[2] === 'number'
}
