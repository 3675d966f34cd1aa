/**
 * Two stock clients find each other at the tracker whose URL is the argument, or at two nodes of one,
 * connect over WebRTC on this machine and send each other a line. Prints what was received as one JSON line.
 */
import Client from 'bittorrent-tracker'

/** Gathering is over at once without STUN servers, but the library does not always say so. */
const GATHERING_MS = 100

const [urlA, urlB = urlA] = process.argv.slice(2)
const INFO_HASH = 'ab'.repeat(20)
const warnings = []

function newClient(name, url) {
  const client = new Client({
    infoHash: INFO_HASH,
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

/** Resolves once a node has heard of the other's client. */
async function heard(url) {
  for (;;) {
    const { incomplete } = await new Promise((resolve, reject) => {
      const done = (error, result) => (error ? reject(error) : resolve(result))
      Client.scrape({ infoHash: INFO_HASH, announce: `${url}/scrape` }, done)
    })
    if (incomplete > 0) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const [a, b] = [newClient('a', urlA), newClient('b', urlB)]
const received = [exchange(a, 'from a'), exchange(b, 'from b')]
a.start({ numwant: 0, left: 1 })
a.once('update', () => heard(urlB).then(() => b.start({ numwant: 2, left: 1 })))

const lines = (await Promise.all(received)).sort()
process.stdout.write(`${JSON.stringify({ received: lines, warnings })}\n`, () => process.exit(0))
