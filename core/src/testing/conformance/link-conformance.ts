import { closingCases } from './closing-cases.js'
import type { LinkConformanceCase, LinkHarness } from './harness.js'
import { messageCases } from './message-cases.js'
import { rawCases } from './raw-cases.js'
import { signalCases } from './signal-cases.js'
import { Stage } from './stage.js'

/**
 * The rules of `PeerLink` as cases for any test runner. Every adapter passes them, alone and against
 * the others.
 */
export function linkConformance(harness: LinkHarness): LinkConformanceCase[] {
  const raw = harness.createRaw === undefined ? [] : rawCases
  return [...messageCases, ...closingCases, ...signalCases, ...raw].map(([name, run]) => ({
    name,
    async run() {
      const stage = new Stage(harness)
      let done = false
      try {
        await run(stage)
        await stage.end()
        done = true
      } finally {
        if (!done) await stage.abandon()
      }
    },
  }))
}
