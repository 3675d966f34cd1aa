import type { Connection } from '../adapters/server-port.js'

/** Close code 1012, "service restart": come back after a random wait (IANA's registry of RFC 6455). */
const SERVICE_RESTART = 1012

/** Sockets that are sent away in a second where time allows: each comes back somewhere else. */
const PER_SECOND = 500

/** Time between two lots, in ms. */
const LOT_MS = 50

/** Time that clients have to answer the last close frame, in ms. */
const GRACE_MS = 1000

/**
 * Sends all sockets away in random order, spread over the time that there is, so that the trackers
 * that take them over are not run down; resolves when all are gone, or when the time is up.
 *
 * @param open sockets that are open now; asked again until there are none
 * @param limitMs longest time, in ms
 * @param random uniform in [0, 1)
 */
export async function drainSockets(
  open: () => Connection[],
  limitMs: number,
  random: () => number,
): Promise<void> {
  const connections = shuffle(open(), random)
  const spreadMs = Math.min(limitMs, (connections.length * 1000) / PER_SECOND)
  const lots = Math.max(1, Math.ceil(spreadMs / LOT_MS))
  const perLot = Math.ceil(connections.length / lots)
  while (connections.length > 0) {
    for (const connection of connections.splice(0, perLot))
      connection.close(SERVICE_RESTART, 'service restart')
    await sleep(LOT_MS)
  }
  for (let waited = 0; waited < GRACE_MS && open().length > 0; waited += LOT_MS) await sleep(LOT_MS)
}

function shuffle<T>(list: T[], random: () => number): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const [a, b] = [list[i], list[j]]
    if (a === undefined || b === undefined) continue
    list[i] = b
    list[j] = a
  }
  return list
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
