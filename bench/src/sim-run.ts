import { closeSync, openSync, writeSync } from 'node:fs'
import { simulate } from '@shoal/core/testing'
import { readSimArguments, SIM_USAGE, SimUsageError } from './sim-arguments.js'

/** Wall time between two lines of progress, in milliseconds. */
const PROGRESS_MS = 5_000

function wallSeconds(): number {
  return performance.now() / 1000
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

const { options, coarse, json, traceFile } = read()
const trace = traceFile === null ? null : openSync(traceFile, 'w')
const startedAt = wallSeconds()
let toldAt = performance.now()
const report = await simulate(options, {
  onProgress: (seconds, present) => {
    if (performance.now() - toldAt < PROGRESS_MS) return
    toldAt = performance.now()
    const wall = (wallSeconds() - startedAt).toFixed(0)
    console.error(`${seconds}/${options.seconds} s simulated, ${present} viewers, ${wall} s`)
  },
  ...(trace === null ? {} : { onLoad: (load) => writeSync(trace, `${JSON.stringify(load)}\n`) }),
})
if (trace !== null) closeSync(trace)
const result = {
  ...report,
  coarse,
  wallSeconds: Number((wallSeconds() - startedAt).toFixed(2)),
  cpuSeconds: Number((process.cpuUsage().user / 1e6).toFixed(2)),
  // maxRSS is in KiB.
  peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
}
if (!json) {
  for (const [name, value] of Object.entries(result)) {
    console.log(`${name.padEnd(24)} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
  }
}
console.log(JSON.stringify(result))
