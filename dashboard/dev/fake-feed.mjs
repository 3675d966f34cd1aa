/**
 * Serves the built page with a made-up swarm, to look at the dashboard without a tracker:
 *
 *   npm run look -- [--port 8090] [--scenario busy|small|empty|seeders|idle|garbage|silent] [--seed 1]
 *
 * Stop and start it to see the page lose its tracker and find it again.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { pack } from 'msgpackr'

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '8090' },
    scenario: { type: 'string', default: 'busy' },
    seed: { type: 'string', default: '1' },
  },
})

const DIST = fileURLToPath(new URL('../dist/', import.meta.url))
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' }
const HISTORY_SECONDS = 600

/** RFC 6455 section 1.3. */
const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const random = mulberry32(Number(options.seed))
const sockets = new Set()
const startedAt = Date.now()
const swarms = makeSwarms(options.scenario)
const history = []
let clock = Date.now() - HISTORY_SECONDS * 1000
while (clock < Date.now()) {
  clock += 1000
  history.push(step(clock))
}

const server = createServer((request, response) => {
  serve(request, response).catch((error) => {
    response.writeHead(500).end()
    process.stderr.write(`${error}\n`)
  })
})

server.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key']
  if (request.url !== '/dashboard/feed' || key === undefined) {
    socket.destroy()
    return
  }
  const accept = createHash('sha1')
    .update(key + HANDSHAKE_GUID)
    .digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  socket.on('error', () => socket.destroy())
  // The page sends nothing but its close.
  socket.on('data', (bytes) => {
    if ((bytes[0] & 0x0f) === 8) socket.end()
  })
  if (options.scenario !== 'silent') send(socket, { type: 'history', samples: history })
})

server.listen(Number(options.port), '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}/dashboard/ (${options.scenario})\n`)
})

setInterval(() => {
  const sample = step(Date.now())
  history.push(sample)
  if (history.length > HISTORY_SECONDS) history.shift()
  for (const socket of sockets) {
    if (options.scenario === 'garbage') sendBytes(socket, Buffer.from('not a frame'))
    else if (options.scenario !== 'silent') send(socket, { type: 'stats', stats: statsNow(), sample })
  }
}, 1000)

async function serve(request, response) {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  if (pathname === '/' || pathname === '/dashboard') {
    response.writeHead(302, { location: '/dashboard/' }).end()
    return
  }
  const name = pathname === '/dashboard/' ? 'index.html' : pathname.replace(/^\/dashboard\//, '')
  const path = normalize(join(DIST, name))
  const body = path.startsWith(DIST.endsWith(sep) ? DIST : DIST + sep)
    ? await readFile(path).catch(() => null)
    : null
  if (body === null) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body)
}

function makeSwarms(scenario) {
  const titles = {
    busy: [
      ['Harbour Cup: final', 1840, 3, 0.93],
      ['Morning news', 612, 2, 0.88],
      ['Tides of the North, episode 4', 233, 1, 0.81],
      ['دورة تدريبية في الملاحة البحرية', 96, 1, 0.74],
      [null, 41, 0, 0.58],
      [
        'Town council, public session with a title nobody thought to keep short enough for a table',
        17,
        1,
        0.63,
      ],
      ['Aquarium camera 2', 6, 1, 0.7],
      ['Rehearsal', 1, 1, 0.4],
      ['Archive: 1987 regatta', 0, 1, 0.66],
    ],
    small: [['Rehearsal', 2, 1, 0.6]],
    idle: [],
    empty: [],
    seeders: [['Harbour Cup: final', 0, 2, 0]],
  }[scenario] ?? [['Rehearsal', 12, 1, 0.6]]
  return titles.map(([name, audience, seeders, share], index) => ({
    infoHash: createHash('sha1')
      .update(String(name ?? index))
      .digest('hex'),
    name,
    audience,
    seeders,
    share,
    others: index === 1 ? 14 : 0,
    viewers: Math.round(audience * 0.6),
    httpBytes: 0,
    peerBytes: 0,
    seederBytes: 0,
    uploadedBytes: 0,
    stalls: 0,
  }))
}

/** A second of every swarm: viewers drift, each fetches a 3 Mbit/s stream, more or less of it from peers. */
function step(at) {
  const sample = { at, viewers: 0, seeders: 0, httpRate: 0, peerRate: 0, seederRate: 0 }
  // Now and then the origin carries more for a while, as when a wave of viewers starts.
  const wave = Math.max(0, Math.sin(at / 67_000)) ** 6 * 0.35
  for (const swarm of swarms) {
    const target = swarm.audience * (1 + 0.12 * Math.sin(at / 90_000 + swarm.audience))
    const drift = (target - swarm.viewers) * 0.01 + (random() - 0.5) * Math.sqrt(swarm.audience) * 0.3
    swarm.viewers = Math.max(0, Math.round(swarm.viewers + drift + (random() - 0.5)))
    if (swarm.audience === 0) swarm.viewers = 0
    const burst = options.scenario === 'small' ? (random() < 0.25 ? 4 : 0) : 0.75 + random() * 0.5
    const bytes = swarm.viewers * 375_000 * burst
    const share = Math.max(0, swarm.share - wave * random() * 1.4)
    const fromSeeders = Math.min(share, 0.06 + (swarm.seeders > 0 ? 2 / (swarm.viewers + 4) : 0))
    const peers = Math.round(bytes * (share - fromSeeders))
    const seeders = Math.round(bytes * fromSeeders)
    const http = Math.round(bytes) - peers - seeders
    swarm.peerBytes += peers
    swarm.seederBytes += seeders
    swarm.httpBytes += http
    swarm.uploadedBytes += peers + seeders
    if (random() < swarm.viewers / 60_000) swarm.stalls += 1
    sample.viewers += swarm.viewers
    sample.seeders += swarm.seeders
    sample.peerRate += peers
    sample.seederRate += seeders
    sample.httpRate += http
  }
  return sample
}

function statsNow() {
  const sum = (key) => swarms.reduce((total, swarm) => total + swarm[key], 0)
  const past = options.scenario === 'idle' ? 48e9 : 0
  const viewers = sum('viewers')
  return {
    version: '0.1.0',
    engine: 'uws',
    uptimeSeconds: HISTORY_SECONDS + (Date.now() - startedAt) / 1000,
    sockets: viewers + sum('seeders') + sum('others') + sockets.size,
    totals: {
      httpBytes: sum('httpBytes') + past,
      peerBytes: sum('peerBytes') + past * 4,
      seederBytes: sum('seederBytes') + past / 2,
      uploadedBytes: sum('uploadedBytes') + past * 4.5,
      stalls: sum('stalls'),
    },
    viewers,
    seeders: sum('seeders'),
    others: sum('others'),
    swarms: swarms.length,
    top: swarms
      .map(({ audience: _, share: __, ...swarm }) => swarm)
      .sort((a, b) => b.viewers - a.viewers)
      .slice(0, 50),
  }
}

function send(socket, frame) {
  sendBytes(socket, pack(frame))
}

/** One unmasked binary frame: RFC 6455 section 5.2. */
function sendBytes(socket, payload) {
  let head
  if (payload.length < 126) {
    head = Buffer.from([0x82, payload.length])
  } else if (payload.length < 65_536) {
    head = Buffer.from([0x82, 126, 0, 0])
    head.writeUInt16BE(payload.length, 2)
  } else {
    head = Buffer.alloc(10)
    head[0] = 0x82
    head[1] = 127
    head.writeBigUInt64BE(BigInt(payload.length), 2)
  }
  socket.write(Buffer.concat([head, payload]))
}

/** A small seeded generator, so that two looks at the page show the same swarm. */
function mulberry32(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
