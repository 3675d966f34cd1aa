import type { CityResponse } from 'mmdb-lib'
import { Reader } from 'mmdb-lib'
import type { Found, Source } from './source.js'
import { asNumber, LocalityError, twoLetters } from './source.js'

/** MaxMind DB format 2.0, "Data Section Separator". */
const SEPARATOR_BYTES = 16

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads a MaxMind DB (format 2.0): of providers (`autonomous_system_number`), of cities or countries
 * (`continent`, `country`, `city`), or both in one.
 *
 * @throws LocalityError
 */
export function readMmdb(data: Buffer): Source {
  let reader: Reader<CityResponse>
  try {
    reader = new Reader<CityResponse>(data)
    // Between the search tree and the data are zeros: the tree is as long as the metadata says.
    const { searchTreeSize } = reader.metadata
    const separator = data.subarray(searchTreeSize, searchTreeSize + SEPARATOR_BYTES)
    if (separator.length < SEPARATOR_BYTES || separator.some((byte) => byte !== 0)) {
      throw new Error('the search tree is cut')
    }
    reader.get('192.0.2.1')
  } catch (error) {
    throw new LocalityError(`not a MaxMind DB (${oneLine(error)})`)
  }
  const { ipVersion } = reader.metadata
  return {
    find({ kind, text }) {
      if (kind === 'ipv6' && ipVersion === 4) return null
      let record: unknown
      try {
        record = reader.get(text)
      } catch {
        // A damaged branch of the tree: the rest of the file is as good as before.
        return null
      }
      return record === null ? null : foundIn(object(record))
    },
  }
}

function foundIn(record: Fields): Found {
  const traits = object(record['traits'])
  const city = object(record['city'])
  const country = object(record['country'])
  const as = record['autonomous_system_number'] ?? traits['autonomous_system_number']
  return {
    as: asNumber(as),
    country: twoLetters(country['iso_code'] ?? object(record['registered_country'])['iso_code']),
    continent: twoLetters(object(record['continent'])['code']),
    metro: metroOf(city),
  }
}

/** By its GeoNames number, or else by its English name. */
function metroOf(city: Fields): string | undefined {
  const name = city['geoname_id'] ?? object(city['names'])['en']
  return typeof name === 'number' || typeof name === 'string' ? String(name).slice(0, 80) : undefined
}

function object(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').slice(0, 200)
}
