/** Client messages as tests build them: well formed unless overridden. */

/** A 20-character id that begins with `name`. */
export function id(name: string): string {
  return name.padEnd(20, '-').slice(0, 20)
}

export const HASH = id('hash')

type Fields = Readonly<Record<string, unknown>>

export function announce(peer: string, fields: Fields = {}): Fields {
  return { action: 'announce', info_hash: HASH, peer_id: id(peer), left: 1, numwant: 5, ...fields }
}

/** Announce of a Shoal peer. */
export function shoal(peer: string, extension: Fields = {}, fields: Fields = {}): Fields {
  return announce(peer, { shoal: { v: 1, role: 'viewer', ...extension }, ...fields })
}

export function offers(...names: string[]): Fields {
  return {
    offers: names.map((name) => ({ offer_id: id(name), offer: { type: 'offer', sdp: `sdp ${name}` } })),
  }
}

export function answer(peer: string, to: string, offer: string): Fields {
  return {
    action: 'announce',
    info_hash: HASH,
    peer_id: id(peer),
    to_peer_id: id(to),
    offer_id: id(offer),
    answer: { type: 'answer', sdp: `answer to ${offer}` },
  }
}

export const CANDIDATE = {
  candidate: 'candidate:1 1 UDP 2122317823 127.0.0.1 50000 typ host',
  sdpMid: '0',
  sdpMLineIndex: 0,
}

export function candidates(peer: string, to: string, offer: string, count = 1): Fields {
  return {
    action: 'announce',
    info_hash: HASH,
    peer_id: id(peer),
    to_peer_id: id(to),
    offer_id: id(offer),
    shoal: { v: 1, candidates: Array.from({ length: count }, () => CANDIDATE) },
  }
}
