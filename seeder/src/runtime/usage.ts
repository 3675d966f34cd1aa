import { SeederError } from '../errors.js'
import type { SeederOptions } from './options.js'

/** Longest name of a title that trackers take (docs/protocol.md, "Tracker messages"). */
const MAX_NAME_CHARS = 80

/** Refuses options that cannot work. Throws `SeederError` (`usage`). */
export function checkOptions({ source, trackers, contentId, name, cache, http }: SeederOptions): void {
  if (source === '') throw usage('SOURCE is empty: give a folder with a playlist, or the URL of one.')
  if (trackers.length === 0) throw usage('no tracker is given: --tracker ws://host:port')
  for (const tracker of trackers) {
    if (URL.canParse(tracker) && /^wss?:$/.test(new URL(tracker).protocol)) continue
    throw usage(`the tracker ${tracker} is not a ws:// or wss:// URL: --tracker ws://host:port`)
  }
  if (contentId === '') throw usage('the content id is empty.')
  if (name !== undefined && name.length > MAX_NAME_CHARS) {
    throw usage(`the name is longer than ${MAX_NAME_CHARS} characters.`)
  }
  if (cache?.bytes !== undefined && !(cache.bytes > 0)) throw usage('--cache-bytes is not above 0.')
  if (http !== undefined && !(Number.isInteger(http.port) && http.port >= 0 && http.port <= 65535)) {
    throw usage(`--http-port ${http.port} is not a port: 0 to 65535.`)
  }
}

function usage(message: string): SeederError {
  return new SeederError('usage', message)
}
