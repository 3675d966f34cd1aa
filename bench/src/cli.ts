import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'

/** What every benchmark is given. */
export interface BenchOptions {
  readonly quick: boolean
}

interface Bench {
  run(options: BenchOptions): Promise<object>
}

/** By name; each is loaded when it is asked for, since each brings programs of its own. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  transport: () => import('./transport.js'),
}

const USAGE = `usage: npm run bench -- NAME [--quick] [--json FILE]
NAME is one of: ${Object.keys(BENCHES).join(', ')}`

function fail(message: string): never {
  console.error(`${message}\n${USAGE}`)
  process.exit(2)
}

function parseOptions() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
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

try {
  const bench = await load()
  const json = JSON.stringify(await bench.run({ quick: values.quick }))
  if (values.json !== undefined) await writeFile(values.json, `${json}\n`)
  await new Promise<void>((resolve) => process.stdout.write(`${json}\n`, () => resolve()))
  process.exit(0)
} catch (error) {
  console.error(error)
  process.exit(1)
}
