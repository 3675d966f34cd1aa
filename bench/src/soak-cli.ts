import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { soak } from './soak.js'

const USAGE = 'usage: npm run soak -- [--minutes M] [--seed S] [--viewers N] [--json FILE]'

function fail(message: string): never {
  console.error(`${message}\n${USAGE}`)
  process.exit(2)
}

function readOptions() {
  try {
    const string = { type: 'string' } as const
    return parseArgs({ options: { minutes: string, seed: string, viewers: string, json: string } }).values
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

const values = readOptions()

function number(name: 'minutes' | 'seed' | 'viewers', fallback: number, low: number, high: number): number {
  const text = values[name]
  if (text === undefined) return fallback
  const value = Number(text)
  if (text.trim() === '' || !(value >= low && value <= high)) fail(`--${name} does not take ${text}`)
  if (name !== 'minutes' && !Number.isInteger(value)) fail(`--${name} wants a whole number, not ${text}`)
  return value
}

const options = {
  minutes: number('minutes', 10, 0.5, 24 * 60),
  viewers: number('viewers', 3, 2, 20),
  seed: number('seed', 1, 0, 2 ** 32 - 1),
}

try {
  const result = await soak(options, (line) => console.error(line))
  for (const failure of result.failures) console.error(`FAILED ${failure}`)
  const json = JSON.stringify(result)
  if (values.json !== undefined) await writeFile(values.json, `${json}\n`)
  await new Promise<void>((resolve) => process.stdout.write(`${json}\n`, () => resolve()))
  process.exit(result.passed ? 0 : 1)
} catch (error) {
  console.error(error)
  process.exit(1)
}
