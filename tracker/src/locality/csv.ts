import { setImmediate as nextTurn } from 'node:timers/promises'
import { readPrefix } from './address.js'
import { PrefixTable } from './prefix-table.js'
import type { Found, Source } from './source.js'
import { asNumber, LocalityError, twoLetters } from './source.js'

const COLUMNS = ['prefix', 'as', 'country', 'metro', 'continent'] as const
type Column = (typeof COLUMNS)[number]

/** Prefixes of one file at most: the Internet's tables have a million and a quarter. */
const MAX_ROWS = 4_000_000

const MAX_METRO_CHARS = 80

/** Lines that are read without a pause: some milliseconds. */
const SLICE_LINES = 5000

/**
 * Reads a table of prefixes: `prefix,as,country,metro,continent`, the last ones left out or empty
 * where unknown. A first line that begins with `prefix` names the columns in another order. Lines
 * that are empty or begin with `#` are skipped; there is no quoting.
 *
 * A large table is read in slices, between which the tracker goes on.
 *
 * @throws LocalityError
 */
export async function readCsv(text: string): Promise<Source> {
  const table = new PrefixTable<Found>()
  // Few places have many prefixes: each is kept once.
  const places = new Map<string, Found>()
  let columns: readonly Column[] = COLUMNS
  let rows = 0
  for (const [at, line] of lines(text)) {
    const fail = (what: string): LocalityError => new LocalityError(`line ${at}: ${what}`)
    if (at % SLICE_LINES === 0) await nextTurn()
    if (line === '' || line.startsWith('#')) continue
    if (line.includes('"')) throw fail('quotes are not understood')
    const cells = line.split(',').map((cell) => cell.trim())
    if (rows === 0 && cells[0]?.toLowerCase() === 'prefix') {
      columns = readHeader(cells, fail)
      continue
    }
    if (cells.length > columns.length) throw fail(`more than ${columns.length} columns`)
    rows++
    if (rows > MAX_ROWS) throw fail(`more than ${MAX_ROWS} prefixes`)
    const cell = (name: Column): string => cells[columns.indexOf(name)] ?? ''
    const prefix = readPrefix(cell('prefix'))
    if (prefix === null) throw fail(`prefix: "${cell('prefix').slice(0, 50)}" is no prefix of addresses`)
    const key = cells.slice(1).join(',')
    const found = places.get(key) ?? readPlace(cell, fail)
    places.set(key, found)
    table.add(prefix, found)
  }
  if (rows === 0) throw new LocalityError('no prefixes')
  table.build()
  return { find: (address) => table.find(address) ?? null }
}

function* lines(text: string): Generator<[number, string]> {
  let start = 0
  for (let at = 1; start < text.length; at++) {
    const end = text.indexOf('\n', start)
    yield [at, text.slice(start, end < 0 ? text.length : end).trim()]
    if (end < 0) return
    start = end + 1
  }
}

function readHeader(cells: readonly string[], fail: (what: string) => LocalityError): Column[] {
  return cells.map((cell) => {
    const name = COLUMNS.find((column) => column === cell.toLowerCase())
    if (name === undefined)
      throw fail(`no column is called "${cell.slice(0, 50)}"; known: ${COLUMNS.join(', ')}`)
    return name
  })
}

function readPlace(cell: (name: Column) => string, fail: (what: string) => LocalityError): Found {
  const [as, country, continent, metro] = [cell('as'), cell('country'), cell('continent'), cell('metro')]
  const number = asNumber(/^(AS)?\d{1,10}$/i.test(as) ? Number(as.replace(/^AS/i, '')) : null)
  if (as !== '' && number === undefined) throw fail(`as: "${as.slice(0, 50)}" is no AS number`)
  if (country !== '' && twoLetters(country) === undefined) throw fail('country: not two letters')
  if (continent !== '' && twoLetters(continent) === undefined) throw fail('continent: not two letters')
  if (metro.length > MAX_METRO_CHARS) throw fail(`metro: above ${MAX_METRO_CHARS} characters`)
  return {
    as: number,
    country: twoLetters(country),
    continent: twoLetters(continent),
    metro: metro === '' ? undefined : metro,
  }
}
