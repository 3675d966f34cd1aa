import { closeSync, openSync, writeSync } from 'node:fs'
import { type SimObserver, type SimOptions, simulate } from '@shoal/core/testing'
import { readSimArguments, SIM_USAGE, SimUsageError } from './sim-arguments.js'
import { trackerMatching } from './sim-matching.js'
import { summaryOf } from './sim-summary.js'

/** Wall time between two lines of progress, in milliseconds. */
const PROGRESS_MS = 5_000

function wallSeconds(): number {
  return performance.now() / 1000
}

/** Of the process so far, in its own code and in the system's for it. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function read() {
  try {
    return readSimArguments(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof SimUsageError)) throw error
    console.error(`${error.message}\n${SIM_USAGE}`)
    return process.exit(2)
  }
}

const { options, seeds, scale, json, traceFile } = read()
const trace = traceFile === null ? null : openSync(traceFile, 'w')

async function run(options: SimOptions) {
  const wallBefore = wallSeconds()
  const cpuBefore = cpuSeconds()
  let toldAt = performance.now()
  const observer: SimObserver = {
    onProgress: (seconds, present) => {
      if (performance.now() - toldAt < PROGRESS_MS) return
      toldAt = performance.now()
      const wall = (wallSeconds() - wallBefore).toFixed(0)
      console.error(`${seconds}/${options.seconds} s simulated, ${present} viewers, ${wall} s`)
    },
    ...(trace === null ? {} : { onLoad: (load) => writeSync(trace, `${JSON.stringify(load)}\n`) }),
  }
  const report = await simulate(options, observer, trackerMatching)
  return {
    ...report,
    ...scale,
    wallSeconds: Number((wallSeconds() - wallBefore).toFixed(2)),
    cpuSeconds: Number((cpuSeconds() - cpuBefore).toFixed(2)),
    // maxRSS is in KiB, and of all runs of this process so far.
    peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  }
}

function show(result: object): void {
  if (json) return
  for (const [name, value] of Object.entries(result)) {
    console.log(`${name.padEnd(24)} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
  }
}

const results: Awaited<ReturnType<typeof run>>[] = []
for (let index = 0; index < (seeds ?? 1); index++) {
  const result = await run({ ...options, seed: options.seed + index })
  show(result)
  results.push(result)
}
if (trace !== null) closeSync(trace)
console.log(JSON.stringify(seeds === null ? results[0] : summaryOf(results)))
