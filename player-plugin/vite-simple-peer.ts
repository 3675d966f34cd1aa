import { fileURLToPath } from 'node:url'

const BASE = fileURLToPath(new URL('./src/links/simple-peer-base.ts', import.meta.url))

/** Statements of simple-peer 9.11.1 that end in a package which the bundle does without. */
const REPLACEMENTS: readonly (readonly [string, string])[] = [
  ["const debug = require('debug')('simple-peer')", ''],
  ["const getBrowserRTC = require('get-browser-rtc')", ''],
  ["const randombytes = require('randombytes')", ''],
  ["const stream = require('readable-stream')", ''],
  ["const queueMicrotask = require('queue-microtask') // TODO: remove when Node 10 is not supported", ''],
  ["const errCode = require('err-code')", ''],
  [
    "const { Buffer } = require('buffer')",
    `import { Buffer, Duplex, errCode, getBrowserRTC, randombytes } from ${JSON.stringify(BASE)}`,
  ],
  ['class Peer extends stream.Duplex {', 'class Peer extends Duplex {'],
  [
    "  _debug () {\n    const args = [].slice.call(arguments)\n    args[0] = '[' + this._id + '] ' + args[0]\n    debug.apply(null, args)\n  }\n",
    '',
  ],
  ['module.exports = Peer', 'export default Peer'],
]

/** A statement that only writes simple-peer's debug log, over one or several lines. */
const DEBUG_CALL = /^ +this\._debug\([\s\S]*?\)\n/gm

/**
 * Bundles simple-peer's own source as an ES module on `simple-peer-base.ts`, without its debug log, in
 * place of the packages that it requires: 5 kB gzip and not the 28 kB of its published browser build.
 *
 * @throws Error while bundling where another version of simple-peer is not made of the same parts
 */
export function slimSimplePeer() {
  return {
    name: 'shoal:slim-simple-peer',
    enforce: 'pre' as const,
    transform(code: string, id: string): { readonly code: string; readonly map: null } | null {
      return /\/simple-peer\/index\.js$/.test(id) ? { code: slim(code), map: null } : null
    },
  }
}

/** simple-peer's source on `simple-peer-base.ts`. Exported for its test. */
export function slim(source: string): string {
  // Empty lines stay: the source map goes by lines.
  let code = source.replace(DEBUG_CALL, (call) => call.replace(/[^\n]/g, ''))
  for (const [from, to] of REPLACEMENTS) {
    if (code.split(from).length !== 2) throw new Error(`simple-peer has changed: not once in it: ${from}`)
    code = code.replace(from, () => to)
  }
  if (/\brequire\(|\bdebug\b|\b_debug\b|\bstream\.[A-Z]|\bmodule\./.test(code))
    throw new Error('simple-peer has changed: it needs more')
  return code
}
