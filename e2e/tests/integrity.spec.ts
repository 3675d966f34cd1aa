import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DEFAULT_SAMPLE_ROOT } from '../dist/sample/index.js'
import { expect, test } from './support/fixtures.js'

/** Type byte of Data and length of its header; docs/protocol.md. */
const DATA = 0x13
const HEADER_BYTES = 13

/** Runs in the polluter's page before its scripts: every Data message that it sends is corrupt. */
const CORRUPT_DATA = `{
  const send = RTCDataChannel.prototype.send
  RTCDataChannel.prototype.send = function (data) {
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    if (bytes[0] !== ${DATA}) return send.call(this, data)
    const copy = bytes.slice()
    copy[${HEADER_BYTES} + (copy.length - ${HEADER_BYTES} >> 1)] ^= 0x5a
    window.corrupted = (window.corrupted ?? 0) + 1
    return send.call(this, copy)
  }
}`

test('not one byte of a peer that corrupts Data reaches the player', async ({ stack }) => {
  test.setTimeout(120_000)
  // Nobody else holds the segments at first, so that the victim must ask the polluter.
  const polluter = await stack.open({ src: stack.vod, init: CORRUPT_DATA })
  await polluter.playedTo(10, 40_000)
  const honest = await stack.open({ src: stack.vod, shoal: { tracker: stack.tracker.announce } })
  await honest.playedTo(6, 40_000)
  const victim = await stack.open({ src: stack.vod, digests: true, hls: { enableWorker: false } })
  const state = await victim.playedTo(30, 60_000)

  const corrupted = await polluter.page.evaluate(
    () => (window as never as { corrupted?: number }).corrupted ?? 0,
  )
  expect(corrupted).toBeGreaterThan(0)
  expect(state.stalls).toEqual([])
  expect(state.fatal).toEqual([])
  expect(state.stats?.peerBytes).toBeGreaterThan(0)
  expect(state.digests.length).toBeGreaterThan(7)
  for (const { url, digest } of state.digests) {
    const file = join(DEFAULT_SAMPLE_ROOT, decodeURIComponent(new URL(url).pathname))
    const original = createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
    expect(`${url} ${digest}`).toBe(`${url} ${original}`)
  }
})
