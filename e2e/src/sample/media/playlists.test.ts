import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { bitRates, concatenatePlaylists, multivariantPlaylist, readMediaPlaylist } from './playlists.js'

it('reads durations, and sizes of files and of byte ranges', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-playlist-'))
  const text =
    '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\n#EXT-X-BYTERANGE:30@0\na.ts\n#EXTINF:2.5,\na.ts\n'
  await writeFile(join(folder, 'index.m3u8'), text)
  await writeFile(join(folder, 'a.ts'), Buffer.alloc(70))
  expect(await readMediaPlaylist(join(folder, 'index.m3u8'))).toEqual({
    targetDuration: 4,
    segments: [
      { uri: 'a.ts', seconds: 4, bytes: 30 },
      { uri: 'a.ts', seconds: 2.5, bytes: 70 },
    ],
  })
  await rm(folder, { recursive: true })
})

it('takes the peak rate of segments that are long enough', () => {
  const segments = [
    { uri: 'a', seconds: 4, bytes: 400 },
    { uri: 'b', seconds: 4, bytes: 600 },
    { uri: 'c', seconds: 0.1, bytes: 200 },
  ]
  expect(bitRates({ targetDuration: 4, segments })).toEqual({ peak: 1200, average: Math.ceil(9600 / 8.1) })
})

it('puts a discontinuity between sources', () => {
  const source = (uri: string) => ({ targetDuration: 4, segments: [{ uri, seconds: 4, bytes: 1 }] })
  const lines = concatenatePlaylists([source('a.ts'), source('b.ts')]).split('\n')
  expect(lines.slice(6)).toEqual([
    ...['#EXTINF:4.000000,', 'a.ts', '#EXT-X-DISCONTINUITY', '#EXTINF:4.000000,', 'b.ts'],
    ...['#EXT-X-ENDLIST', ''],
  ])
})

it('names the audio group of a variant', () => {
  const variant = {
    ...{ uri: 'v0/index.m3u8', bandwidth: 2, averageBandwidth: 1, width: 426, height: 240 },
    ...{ framesPerSecond: 24, codecs: 'avc1.42c015,mp4a.40.2', audioGroup: 'sound' },
  }
  const audio = { uri: 'en/index.m3u8', group: 'sound', language: 'en', name: 'English', isDefault: true }
  const text = multivariantPlaylist([variant], [audio])
  expect(text).toContain('#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",LANGUAGE="en",NAME="English",DEFAULT=YES')
  expect(text).toContain(
    '#EXT-X-STREAM-INF:BANDWIDTH=2,AVERAGE-BANDWIDTH=1,RESOLUTION=426x240,FRAME-RATE=24.000,' +
      'CODECS="avc1.42c015,mp4a.40.2",AUDIO="sound"\nv0/index.m3u8\n',
  )
})
