export * from './conformance/harness.js'
export { linkConformance } from './conformance/link-conformance.js'
export { LocalPeer } from './conformance/local-peer.js'
export { ConformanceError } from './conformance/stage.js'
export { createMemoryLinkPair, type MemoryLinkPair } from './link-pair.js'
export { MemoryOrigin, type MemoryOriginOptions } from './memory-origin.js'
export { MemoryTracker, type TrackerMatching } from './memory-tracker.js'
export { MemoryWorld, type Outcome, type WorldOptions, type WorldPeer } from './memory-world.js'
export {
  CLEAR_PATH,
  DOWNLOAD_QUEUE_MS,
  type HostOptions,
  OPENING_ROUND_TRIPS,
  type PathConditions,
  SILENCE_NOTICED_MS,
} from './network/conditions.js'
export type { HostStats, MemoryHost } from './network/memory-host.js'
export type { MemoryLink } from './network/memory-link.js'
export { MemoryNetwork, type MemoryNetworkOptions } from './network/memory-network.js'
export { seededRandom } from './random.js'
export type { LoadTrace } from './sim/ledger.js'
export type { SimReport } from './sim/report.js'
export {
  SIM_DEFAULTS,
  SIM_FAULTS,
  SIM_INTEGRITIES,
  SIM_MATCHINGS,
  SIM_WORKLOADS,
  type SimOptions,
} from './sim/sim-options.js'
export { type MakeMatching, type SimObserver, simulate } from './sim/simulate.js'
export { toyCrypto } from './toy-crypto.js'
export { VirtualClock } from './virtual-clock.js'
