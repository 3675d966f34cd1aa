import type { Millis } from '@shoal/protocol'
import type { HttpSources } from '../seeders/http-sources.js'

/** Probes under way at once. */
const MAX_PROBES = 8

/** Time between looks for addresses that are due, in ms. */
const LOOK_MS = 500

export type Probe = (url: string) => Promise<boolean>

/** Probes the addresses of seeders one after the other; returns what ends it. */
export function startProbing(sources: HttpSources, probe: Probe, now: () => Millis): () => void {
  let running = 0
  const timer = setInterval(() => {
    for (const source of sources.due(MAX_PROBES - running, now())) {
      running++
      void probe(source.url).then((healthy) => {
        running--
        sources.probed(source, healthy, now())
      })
    }
  }, LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}
