import { changeModules } from './sim-modules.js'
import { scaleOf } from './sim-scale.js'

// What is loaded depends on the size of the run, and is settled before; arguments are checked after.
const scale = scaleOf(process.argv.slice(2))
if (scale.coarse > 1 || scale.sharedMemory) changeModules(scale)
await import('./sim-run.js')
