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
    `import { Duplex, errCode, getBrowserRTC } from ${JSON.stringify(BASE)}`,
  ],
  ['class Peer extends stream.Duplex {', 'class Peer extends Duplex {'],
  ["    this._id = randombytes(4).toString('hex').slice(0, 7)\n", ''],
  ["opts.channelName || randombytes(20).toString('hex')", 'opts.channelName'],
  ['module.exports = Peer', 'export default Peer'],
]

/** Methods for media, for reading and writing as a stream, for old browsers and for addresses. */
const UNUSED_METHODS: readonly string[] = [
  ...[
    'bufferSize',
    'connected',
    'address',
    'send',
    'addTransceiver',
    'addStream',
    'addTrack',
    'replaceTrack',
  ],
  ...[
    'removeTrack',
    'removeStream',
    '_requestMissingTransceivers',
    'getStats',
    '_onInterval',
    '_read',
    '_write',
  ],
  ...[
    '_onFinish',
    '_onTrack',
    '_onChannelBufferedAmountLow',
    '_onChannelMessage',
    '_startIceCompleteTimeout',
  ],
  '_debug',
]

/**
 * What called them, or feeds what nobody reads: from the first text to the end of the last, which is the
 * first of its kind after it. Signals come parsed, descriptions are sent as they are, with trickle.
 */
const UNUSED_STATEMENTS: readonly (readonly [string, string])[] = [
  ['function filterTrickle', '\n}\n'],
  ['    if (this.streams) {', '\n    }\n'],
  ['    this._pc.ontrack = event =>', '\n    }\n'],
  ['    this._onFinishBound = () =>', "this.once('finish', this._onFinishBound)\n"],
  ["    if (typeof data === 'string') {", '\n    }\n'],
  ['    if (data.renegotiate && this.initiator) {', '\n    }\n'],
  ['    if (data.transceiverRequest && this.initiator) {', '\n    }\n'],
  ['      if (this._onFinishBound) ', 'this._onFinishBound = null\n'],
  ['    this._channel.onmessage = event =>', '\n    }\n'],
  ['    this._channel.onbufferedamountlow = () =>', '\n    }\n'],
  ['        if (!this.trickle && !this.allowHalfTrickle) offer', 'this.sdpTransform(offer.sdp)\n'],
  ['        if (!this.trickle && !this.allowHalfTrickle) answer', 'this.sdpTransform(answer.sdp)\n'],
  ['          if (!this.initiator) this._requestMissingTransceivers()', '\n'],
  ['      this._sendersAwaitingStable.forEach(', '\n      this._sendersAwaitingStable = []\n'],
  ['    if (event.candidate) {', '\n    }\n'],
  ['  iceServers: [', '\n  ],\n'],
]

/** State that nothing but these looks at. */
const UNUSED_STATE =
  /^ +(?:clearInterval\(this\._interval\)|this\.(?:(?:local|remote)(?:Address|Family|Port)|streams|sdpTransform|allowHalfTrickle|iceCompleteTimeout|_iceCompleteTimer|_sendersAwaitingStable|_senderMap|_remote(?:Tracks|Streams)|_chunk|_cb|_interval|readable = this\.writable) = .*)\n/gm

/** simple-peer tells `connect` once it has found its addresses in the statistics, which nobody asks for. */
const READY_AT_ONCE = ['    this._connecting = true\n', '    findCandidatePair()\n'] as const

/** A statement that only writes simple-peer's debug log, over one or several lines. */
const DEBUG_CALL = /^ +this\._debug\([\s\S]*?\)\n/gm

/**
 * Bundles simple-peer's own source as an ES module on `simple-peer-base.ts`, without its debug log, in
 * place of the packages that it requires, and without its parts for media, streams and old browsers: 2 kB
 * gzip and not the 28 kB of its published browser build.
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
  let code = source.replace(DEBUG_CALL, blank)
  for (const [from, to] of REPLACEMENTS) code = replaceOnce(code, from, from.length, to)
  for (const name of UNUSED_METHODS) {
    const method = new RegExp(`^  (?:get )?${name} \\(.*\\) \\{(?:\\}|\\n[^]*?\\n  \\})$`, 'm').exec(
      code,
    )?.[0]
    if (method === undefined) throw new Error(`simple-peer has changed: it has no ${name}`)
    code = replaceOnce(code, method, method.length, '')
  }
  for (const [from, to] of UNUSED_STATEMENTS) code = replaceOnce(code, from, lengthUpTo(code, from, to), '')
  code = code.replace(UNUSED_STATE, blank)
  const ready = lengthUpTo(code, ...READY_AT_ONCE)
  code = replaceOnce(code, READY_AT_ONCE[0], ready, "this._connected = true; this.emit('connect')")
  const left = /\brequire\(|\bdebug\b|\bstream\.[A-Z]|\bmodule\.|\bBuffer\.|\brandombytes\b/
  const called = new RegExp(`\\bthis\\.(?:${UNUSED_METHODS.join('|')})\\(`)
  if (left.test(code) || called.test(code)) throw new Error('simple-peer has changed: it needs more')
  return code
}

/** Puts `to` in place of what begins with `from`, which has to be in the code once. */
function replaceOnce(code: string, from: string, length: number, to: string): string {
  const at = code.indexOf(from)
  if (at < 0 || code.includes(from, at + 1))
    throw new Error(`simple-peer has changed: not once in it: ${from}`)
  return code.slice(0, at) + to + blank(code.slice(at, at + length)) + code.slice(at + length)
}

function lengthUpTo(code: string, from: string, to: string): number {
  const at = code.indexOf(from)
  const end = code.indexOf(to, at + from.length)
  if (end < 0) throw new Error(`simple-peer has changed: no end of ${from}`)
  return end + to.length - at
}

/** The empty lines of a text: the source map goes by lines. */
function blank(text: string): string {
  return text.replace(/[^\n]/g, '')
}
