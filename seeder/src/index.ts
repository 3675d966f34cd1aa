import { silentLogger } from './log.js'
import { defaultHost } from './runtime/default-host.js'
import type { SeederOptions } from './runtime/options.js'
import { type RunningSeeder, startSeederOn } from './runtime/seeder.js'
import { checkOptions } from './runtime/usage.js'

export { SeederError, type SeederErrorCode } from './errors.js'
export type { Logger } from './log.js'
export type { SeederOptions, WebRtcOptions } from './runtime/options.js'
export type { OriginState } from './runtime/origin-health.js'
export type { RunningSeeder } from './runtime/seeder.js'
export type { SeederSnapshot } from './runtime/snapshot.js'
export { writeNewKey } from './signing/keys.js'

/**
 * Starts a seeder on this machine: follows the source, signs and keeps its segments, and offers them
 * to the swarm, and by HTTP where `options.http` says so.
 *
 * Resolves once the source's playlist has been read and the swarm joined; segments follow. A tracker
 * that cannot be reached is tried again for as long as the seeder runs.
 *
 * WebRTC threads keep the process alive after `close`: a program ends with `process.exit`.
 *
 * @throws SeederError where it cannot start; its message is one line for people
 */
export async function startSeeder(options: SeederOptions): Promise<RunningSeeder> {
  checkOptions(options)
  return await startSeederOn(await defaultHost(options.log ?? silentLogger, options), options)
}
