import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredSwarmRow } from './swarm-store.js'

/** A file in the folder of results is not what the report is made of. The message names it. */
export class ResultError extends Error {}

/** What another benchmark's `--json` wrote. */
export interface OtherResult {
  readonly bench: string
  readonly file: string
  /** Plain values. */
  readonly values: Readonly<Record<string, string | number | boolean>>
  /** Its lists of records, by name: `rows` most often. */
  readonly tables: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>
}

export interface Results {
  readonly swarm: readonly StoredSwarmRow[]
  readonly others: readonly OtherResult[]
}

/**
 * Reads all results of a folder, in the order of their names.
 *
 * @throws ResultError
 */
export async function readResults(folder: string): Promise<Results> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort()
  const swarm: StoredSwarmRow[] = []
  const others: OtherResult[] = []
  for (const name of names) {
    const value = parse(await readFile(join(folder, name), 'utf8'), name)
    if (isSwarmRow(value)) swarm.push(value)
    else others.push(otherResult(value, name))
  }
  return { swarm, others }
}

function parse(text: string, name: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (isRecord(value)) return value
  } catch {
    // Said below.
  }
  throw new ResultError(`${name} is no JSON object`)
}

/** What the report reads of a row beyond its plain values. */
const READ_OF_DETAIL = ['origin', 'megabytes', 'firstPeerByteMs', 'shownBitsPerSecond']

function isSwarmRow(value: object): value is StoredSwarmRow {
  if (!('bench' in value) || value.bench !== 'swarm' || !('row' in value) || !isRecord(value.row))
    return false
  const { detail } = value.row
  const whole = isRecord(detail) && READ_OF_DETAIL.every((name) => isRecord(detail[name]))
  return whole && 'environment' in value && isRecord(value.environment)
}

function otherResult(value: Readonly<Record<string, unknown>>, file: string): OtherResult {
  const tables = Object.fromEntries(
    Object.entries(value).flatMap(([name, list]) => {
      const rows = Array.isArray(list) ? list.filter(isRecord) : []
      return rows.length === 0 ? [] : [[name, rows]]
    }),
  )
  const values = Object.fromEntries(Object.entries(value).filter(isPlain))
  const { bench = file.replace(/\.json$/, ''), ...rest } = values
  if (Object.keys(tables).length === 0 && Object.keys(rest).length === 0) {
    throw new ResultError(`${file} is no benchmark's result`)
  }
  return { bench: String(bench), file, values: rest, tables }
}

function isPlain(entry: [string, unknown]): entry is [string, string | number | boolean] {
  return ['string', 'number', 'boolean'].includes(typeof entry[1])
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
