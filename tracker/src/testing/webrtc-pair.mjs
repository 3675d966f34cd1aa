/**
 * Two stock clients find each other at the tracker whose URL is the argument, connect over WebRTC
 * on this machine and send each other a line. Prints what was received as one JSON line.
 */
import Client from 'bittorrent-tracker'

/** Gathering is over at once without STUN servers, but the library does not always say so. */
const GATHERING_MS = 100

const [url] = process.argv.slice(2)
const warnings = []

function newClient(name) {
  const client = new Client({
    infoHash: 'ab'.repeat(20),
    peerId: Buffer.from(name.padEnd(20, '.')).toString('hex'),
    announce: [`${url}/${name}`],
    port: 6881,
    rtcConfig: { iceServers: [] },
  })
  client.on('error', ({ message }) => warnings.push(message))
  client.on('warning', ({ message }) => warnings.push(message))
  for (const tracker of client._trackers) {
    const create = tracker._createPeer
    tracker._createPeer = (options) => create.call(tracker, { iceCompleteTimeout: GATHERING_MS, ...options })
  }
  return client
}

/** Sends a line over the first connection of the client, and waits for the other's. */
function exchange(client, line) {
  return new Promise((resolve) => {
    client.on('peer', (peer) => {
      peer.on('error', () => {})
      peer.on('data', (data) => resolve(Buffer.from(data).toString()))
      if (peer.connected) peer.send(line)
      else peer.once('connect', () => peer.send(line))
    })
  })
}

const [a, b] = [newClient('a'), newClient('b')]
const received = [exchange(a, 'from a'), exchange(b, 'from b')]
a.start({ numwant: 0, left: 1 })
a.once('update', () => b.start({ numwant: 2, left: 1 }))

const lines = (await Promise.all(received)).sort()
process.stdout.write(`${JSON.stringify({ received: lines, warnings })}\n`, () => process.exit(0))
