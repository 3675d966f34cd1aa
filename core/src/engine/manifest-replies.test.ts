import type { PeerMessage } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import {
  emptySegment,
  readyPeer,
  sentMessages,
  TEST_SWARM,
  testBytes,
  testSegmentId,
} from '../testing/engine-fixtures.js'
import type { Effect } from './io.js'
import { ManifestReplies } from './manifest-replies.js'
import { SegmentStore } from './segment-store.js'

function scene() {
  const effects: Effect[] = []
  const store = new SegmentStore(1 << 24)
  const replies = new ManifestReplies(store, TEST_SWARM.tag, (effect) => effects.push(effect))
  const manifestsTo = (link: number) =>
    sentMessages(effects, link).filter((message: PeerMessage) => message.type === 'manifest')
  return { store, replies, manifestsTo }
}

describe('ManifestReplies', () => {
  it('answers at once what it has, and not what it knows nothing of', () => {
    const { store, replies, manifestsTo } = scene()
    const peer = readyPeer(1)
    const { manifest } = emptySegment(testBytes(1000))
    if (manifest !== null) store.open(testSegmentId()).adopt(manifest, 'own')
    replies.request(peer, testSegmentId())
    expect(manifestsTo(1)).toMatchObject([{ manifest: { segment: testSegmentId() } }])
    replies.request(peer, testSegmentId(2))
    expect(manifestsTo(1)).toHaveLength(1)
    expect(peer.manifestWishes.size).toBe(0)
  })

  it('answers once, when the manifest is made, for a segment that is being fetched', () => {
    const { store, replies, manifestsTo } = scene()
    const [asker, other] = [readyPeer(1), readyPeer(2)]
    const id = testSegmentId(3, 4)
    const segment = store.open(id)
    segment.fetching = true
    replies.request(asker, id)
    replies.request(asker, id)
    replies.known(segment, [asker, other])
    expect(manifestsTo(1)).toHaveLength(0)
    const { manifest } = emptySegment(testBytes(1000), id)
    if (manifest !== null) segment.adopt(manifest, 'own')
    replies.known(segment, [asker, other])
    replies.known(segment, [asker, other])
    expect(manifestsTo(1)).toHaveLength(1)
    expect(manifestsTo(2)).toHaveLength(0)
  })

  it('remembers the last sixteen wishes of a peer', () => {
    const { store, replies } = scene()
    const peer = readyPeer(1)
    for (let part = 0; part < 40; part++) {
      const segment = store.open(testSegmentId(1, part))
      segment.fetching = true
      replies.request(peer, segment.id)
    }
    expect(peer.manifestWishes.size).toBe(16)
    expect(peer.manifestWishes.has(store.open(testSegmentId(1, 39)).key)).toBe(true)
  })
})
