import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { FUZZ_OPTIONS, FUZZ_USAGE, type FuzzValues, readFuzzValues } from './fuzz-options.js'
import { ResultError } from './report-read.js'
import { readSeederValues, SEEDER_OPTIONS, SEEDER_USAGE, type SeederValues } from './seeder-options.js'
import { SWARM_OPTIONS, SWARM_USAGE, SwarmUsageError, type SwarmValues } from './swarm-options.js'

/** What every benchmark is given. */
export interface BenchOptions {
  readonly quick: boolean
  /** Options that `seeder` alone takes. */
  readonly seeder: SeederValues
  /** Options that `swarm` alone takes. */
  readonly swarm: SwarmValues
  /** Options that `tracker-fuzz` alone takes. */
  readonly fuzz: FuzzValues
}

interface Bench {
  run(options: BenchOptions): Promise<object>
}

/** By name; each is loaded when it is asked for, since each brings programs of its own. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  core: () => import('./core-bench.js'),
  dial: () => import('./dial-bench.js'),
  swarm: () => import('./swarm.js'),
  seeder: () => import('./seeder-bench.js'),
  integrity: () => import('./integrity-bench.js'),
  matching: () => import('./matching-bench.js'),
  multisource: () => import('./multisource-bench.js'),
  report: () => import('./report.js'),
  'super-seeding': () => import('./superseed-bench.js'),
  sim: () => import('./sim-bench.js'),
  tracker: () => import('./tracker.js'),
  'tracker-fuzz': () => import('./fuzz.js'),
  'tracker-swarms': () => import('./tracker-swarms.js'),
  transport: () => import('./transport.js'),
}

const USAGE = `usage: npm run bench -- NAME [--quick] [--json FILE]
NAME is one of: ${Object.keys(BENCHES).join(', ')}
${SEEDER_USAGE}
${SWARM_USAGE}
${FUZZ_USAGE}`

function fail(message: string): never {
  console.error(`${message}\n${USAGE}`)
  process.exit(2)
}

function parseOptions() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        ...SEEDER_OPTIONS,
        ...FUZZ_OPTIONS,
        ...SWARM_OPTIONS,
      },
    })
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

const { positionals, values } = parseOptions()
const [name, ...rest] = positionals
if (name === undefined) fail('which benchmark?')
if (rest.length > 0) fail(`more than one name: ${positionals.join(' ')}`)
const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined
if (load === undefined) fail(`no benchmark is called ${name}`)
const { quick, json: jsonFile, minutes, load: loadText, messages, ...swarm } = values
const fuzzing = name === 'tracker-fuzz'
if (messages !== undefined && !fuzzing) fail(`${name} takes no --messages`)
const seeding = name === 'seeder'
const shared = fuzzing ? 'seed' : seeding ? 'viewers' : null
const own = Object.keys(swarm).find((option) => option !== shared)
if (own !== undefined && name !== 'swarm') fail(`${name} takes no --${own}`)
if (minutes !== undefined && !seeding) fail(`${name} takes no --minutes`)
if (loadText !== undefined && !seeding) fail(`${name} takes no --load`)
const seeder = readSeederValues(seeding ? { minutes, load: loadText, viewers: swarm.viewers } : {})
if (typeof seeder === 'string') fail(seeder)
const fuzz = readFuzzValues(fuzzing ? { messages, seed: swarm.seed } : {})
if (typeof fuzz === 'string') fail(fuzz)

try {
  const bench = await load()
  const json = JSON.stringify(await bench.run({ quick, seeder, swarm, fuzz }))
  if (jsonFile !== undefined) await writeFile(jsonFile, `${json}\n`)
  await new Promise<void>((resolve) => process.stdout.write(`${json}\n`, () => resolve()))
  process.exit(0)
} catch (error) {
  if (error instanceof SwarmUsageError) fail(error.message)
  console.error(error instanceof ResultError ? error.message : error)
  process.exit(1)
}
