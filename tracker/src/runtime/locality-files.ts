import { readCostMap, readNetworkMap } from '../locality/alto.js'
import { readCsv } from '../locality/csv.js'
import { KnownPlaces } from '../locality/known-places.js'
import { readMmdb } from '../locality/mmdb.js'
import type { LocalitySettings } from '../locality/settings.js'
import type { FileWatch } from './file-watch.js'

/** Largest file of places, in bytes: databases of cities have 60 to 150 MB. */
const MAX_BYTES = 512 * 1024 * 1024

/**
 * Reads the files of the setting `locality`, now and when they change.
 *
 * @throws OptionsError when one cannot be used
 */
export async function watchLocality(settings: LocalitySettings, files: FileWatch): Promise<KnownPlaces> {
  const { altoNetworkMap, altoCostMap, csvFiles, mmdbFiles } = settings
  const places = new KnownPlaces(1 + csvFiles.length + mmdbFiles.length)
  if (altoNetworkMap !== undefined) {
    const paths = altoCostMap === undefined ? [altoNetworkMap] : [altoNetworkMap, altoCostMap]
    await files.add('locality.altoNetworkMap', {
      what: 'the network map',
      paths,
      maxBytes: MAX_BYTES,
      use([map = '', costs]) {
        const network = readNetworkMap(map)
        const scaled = costs === undefined ? new Map() : readCostMap(costs, network)
        places.replace(0, network)
        places.replaceCosts(scaled)
      },
    })
  }
  for (const [at, path] of csvFiles.entries()) {
    await files.add(`locality.csvFiles.${at}`, {
      what: `the table of prefixes ${at}`,
      paths: [path],
      maxBytes: MAX_BYTES,
      use: async ([text = '']) => places.replace(1 + at, await readCsv(text)),
    })
  }
  for (const [at, path] of mmdbFiles.entries()) {
    await files.add(`locality.mmdbFiles.${at}`, {
      what: `the database of places ${at}`,
      paths: [path],
      maxBytes: MAX_BYTES,
      useBytes: ([data = Buffer.alloc(0)]) => places.replace(1 + csvFiles.length + at, readMmdb(data)),
    })
  }
  return places
}
