import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LowLatencyStream } from './low-latency.js'
import { partOffsets } from './ts-parts.js'

const PACKET = 188
const START = Date.UTC(2026, 0, 1)

/** A packet in which a video frame begins that is shown at `seconds`. */
function frame(seconds: number): Buffer {
  const ticks = Math.round(seconds * 90_000)
  const packet = Buffer.alloc(PACKET, 0xff)
  packet.set([0x47, 0x41, 0x00, 0x10, 0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5])
  const low = (ticks & 0x7fff) * 2 + 1
  const middle = ((ticks >> 15) & 0x7fff) * 2 + 1
  packet.set([0x21 | ((ticks >> 29) & 0x0e), middle >> 8, middle & 0xff, low >> 8, low & 0xff], 13)
  return packet
}

/** One packet of another stream. */
function filler(): Buffer {
  const packet = Buffer.alloc(PACKET, 0xff)
  packet.set([0x47, 0x1f, 0xff, 0x10])
  return packet
}

/** Four seconds in eight frames, each followed by a packet of something else. */
function segment(from: number): Buffer {
  return Buffer.concat(Array.from({ length: 8 }, (_, at) => [frame(from + at / 2), filler()]).flat())
}

describe('partOffsets', () => {
  it('begins a part with the first frame that is due', () => {
    const offsets = partOffsets(segment(100_000), 0.5)
    expect(offsets).toEqual(Array.from({ length: 9 }, (_, part) => part * 2 * PACKET))
    expect(partOffsets(segment(0), 1)).toEqual([0, 4, 8, 12, 16].map((packets) => packets * PACKET))
  })

  it('refuses what is no MPEG-TS, or has no picture', () => {
    expect(() => partOffsets(Buffer.alloc(PACKET), 0.5)).toThrow('no MPEG-TS packet at 0')
    expect(() => partOffsets(filler(), 0.5)).toThrow('no video')
  })
})

describe('LowLatencyStream', () => {
  let folder: string
  let now: number
  let stream: LowLatencyStream

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-parts-'))
    await mkdir(join(folder, 'v0'))
    for (const number of [0, 1]) await writeFile(join(folder, 'v0', `${number}.ts`), segment(number * 4))
    const source = { tracks: new Map([['v0', ['0.ts', '1.ts']]]), segmentCount: 2, segmentSeconds: 4 }
    now = START
    stream = new LowLatencyStream(source, folder, () => now)
  })

  afterEach(() => rm(folder, { recursive: true }))

  async function find(path: string, query = ''): Promise<Buffer | null> {
    const content = await stream.find(path, query)
    return content?.type === 'made' ? content.bytes : null
  }

  async function lines(query = ''): Promise<string[]> {
    return ((await find('/low-latency/v0/index.m3u8', query))?.toString() ?? '').split('\n')
  }

  it('names the parts of the last segments, those of the one that is being made, and the next one', async () => {
    now = START + 1_200
    const playlist = await lines()
    expect(playlist).toContain('#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0')
    expect(playlist).toContain('#EXT-X-PART-INF:PART-TARGET=0.5')
    expect(playlist.filter((line) => line.startsWith('#EXTINF')).length).toBe(6)
    const parts = playlist.filter((line) => line.startsWith('#EXT-X-PART:'))
    expect(parts.length).toBe(3 * 8 + 2)
    expect(parts.at(-2)).toBe('#EXT-X-PART:DURATION=0.50000,URI="seg-6.0.ts",INDEPENDENT=YES')
    expect(parts.at(-1)).toBe('#EXT-X-PART:DURATION=0.50000,URI="seg-6.1.ts"')
    expect(playlist.at(-2)).toBe('#EXT-X-PRELOAD-HINT:TYPE=PART,URI="seg-6.2.ts"')
  })

  it('serves a part from its publication on, and parts that make up their segment', async () => {
    expect(await find('/low-latency/v0/seg-6.0.ts')).toBeNull()
    now = START + 500
    expect(await find('/low-latency/v0/seg-6.0.ts')).toEqual(segment(0).subarray(0, 2 * PACKET))
    expect(await find('/low-latency/v0/seg-6.1.ts')).toBeNull()
    expect(await find('/low-latency/v0/seg-6.ts')).toBeNull()
    const parts = await Promise.all(
      Array.from({ length: 8 }, (_, part) => find(`/low-latency/v0/seg-5.${part}.ts`)),
    )
    const whole = await find('/low-latency/v0/seg-5.ts')
    expect(whole).toEqual(segment(4))
    expect(Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0)))).toEqual(whole)
    expect(await find('/low-latency/v0/seg-5.8.ts')).toBeNull()
    expect(await find('/low-latency/v1/seg-5.0.ts')).toBeNull()
  })

  it('holds a playlist back until it names the part that is asked for, and none from far ahead', async () => {
    now = START + 450
    const asked = performance.now()
    const held = lines('_HLS_msn=6&_HLS_part=0')
    now = START + 500
    expect(await held).toContain('#EXT-X-PART:DURATION=0.50000,URI="seg-6.0.ts",INDEPENDENT=YES')
    // Timers may be a millisecond early.
    expect(performance.now() - asked).toBeGreaterThan(45)
    expect(await find('/low-latency/v0/index.m3u8', '_HLS_msn=9')).toBeNull()
  })
})
