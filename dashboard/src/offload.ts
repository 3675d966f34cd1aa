/** Bytes, or bytes per second, by where they came from. */
export interface BySource {
  readonly peers: number
  readonly seeders: number
  readonly http: number
}

/** All sources together. */
export function sumOf(sources: BySource): number {
  return sources.peers + sources.seeders + sources.http
}

/** Share, 0..1, that did not come from the origin; null while nothing came at all. */
export function offloadOf(sources: BySource): number | null {
  const all = sumOf(sources)
  return all > 0 ? (sources.peers + sources.seeders) / all : null
}

/** The three sources of cumulative totals. */
export function bySourceOf(totals: {
  readonly peerBytes: number
  readonly seederBytes: number
  readonly httpBytes: number
}): BySource {
  return { peers: totals.peerBytes, seeders: totals.seederBytes, http: totals.httpBytes }
}
