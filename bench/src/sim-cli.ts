import { coarsenChunks } from './sim-coarse.js'

// The size of chunks is settled before anything that knows it is loaded; arguments are checked after.
const at = process.argv.indexOf('--coarse')
const factor = at < 0 ? 1 : Number(process.argv[at + 1])
if (Number.isInteger(factor) && factor > 1) coarsenChunks(factor)
await import('./sim-run.js')
