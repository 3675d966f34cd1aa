import { trackIdOf } from '@shoal/protocol'
import { describe, expect, test } from 'vitest'
import { type MediaPlaylist, type MultivariantPlaylist, PlaylistError, parsePlaylist } from './playlist.js'

const BASE = 'http://origin.test/vod/master.m3u8'

function media(lines: string): MediaPlaylist {
  const parsed = parsePlaylist(`#EXTM3U\n#EXT-X-TARGETDURATION:4\n${lines}`, BASE)
  if (parsed.kind !== 'media') throw new Error('a multivariant playlist')
  return parsed
}

function master(lines: string): MultivariantPlaylist {
  const parsed = parsePlaylist(`#EXTM3U\n${lines}`, BASE)
  if (parsed.kind !== 'multivariant') throw new Error('a media playlist')
  return parsed
}

describe('a media playlist', () => {
  test('lists its segments with number, URL and time', () => {
    const playlist = media(
      '#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\na.ts\n#EXTINF:3.5,\n../b.ts?t=1\n#EXT-X-ENDLIST',
    )
    expect(playlist).toMatchObject({ live: false, targetDuration: 4000, first: 7, end: 9 })
    expect(playlist.segments).toEqual([
      { sequence: 7, url: 'http://origin.test/vod/a.ts', range: null, start: 0, duration: 4000, date: null },
      {
        sequence: 8,
        url: 'http://origin.test/b.ts?t=1',
        range: null,
        start: 4000,
        duration: 3500,
        date: null,
      },
    ])
  })

  test('gives byte ranges, also those without offset, also the first', () => {
    const { segments } = media(
      '#EXTINF:4,\n#EXT-X-BYTERANGE:100\na.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE:50\na.mp4\n' +
        '#EXTINF:4,\n#EXT-X-BYTERANGE:10@400\na.mp4',
    )
    expect(segments.map(({ range }) => range)).toEqual([
      { start: 0, end: 100 },
      { start: 100, end: 150 },
      { start: 400, end: 410 },
    ])
  })

  test('leaves gaps out and counts them', () => {
    const playlist = media('#EXTINF:4,\na.ts\n#EXT-X-GAP\n#EXTINF:4,\nb.ts\n#EXTINF:4,\nc.ts')
    expect(playlist.segments.map(({ sequence }) => sequence)).toEqual([0, 2])
    expect(playlist.segments[1]?.start).toBe(8000)
    expect(playlist.end).toBe(3)
  })

  test('gives dates, those between two also', () => {
    const playlist = media(
      '#EXTINF:4,\nx.ts\n#EXT-X-PROGRAM-DATE-TIME:2024-01-01T00:00:10Z\n#EXTINF:4,\na.ts\n#EXTINF:4,\nb.ts',
    )
    const at = Date.UTC(2024, 0, 1, 0, 0, 10)
    expect(playlist.segments.map(({ date }) => date)).toEqual([null, at, at + 4_000])
  })

  test('lists parts, their ranges, and what comes next', () => {
    const { lowLatency } = media(
      '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5\n#EXT-X-PART-INF:PART-TARGET=0.5\n' +
        '#EXT-X-MEDIA-SEQUENCE:8\n#EXT-X-PART:DURATION=0.5,URI="a.mp4",BYTERANGE="100"\n' +
        '#EXT-X-PART:DURATION=0.4,URI="a.mp4",BYTERANGE="50",INDEPENDENT=YES\n#EXTINF:4,\na.mp4\n' +
        '#EXT-X-PART:DURATION=0.5,URI="b0.ts",GAP=YES\n#EXT-X-PART:DURATION=0.5,URI="b1.ts"\n' +
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="b2.ts"',
    )
    expect(lowLatency).toMatchObject({ canBlock: true, partTarget: 500, next: { sequence: 9, part: 2 } })
    const url = (name: string) => `http://origin.test/vod/${name}`
    expect(lowLatency.parts).toEqual([
      { url: url('a.mp4'), range: { start: 0, end: 100 }, sequence: 8, part: 0, duration: 500 },
      { url: url('a.mp4'), range: { start: 100, end: 150 }, sequence: 8, part: 1, duration: 400 },
      { url: url('b1.ts'), range: null, sequence: 9, part: 1, duration: 500 },
    ])
  })

  test('with low-latency parts lists the complete segments', () => {
    const playlist = media(
      '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5\n#EXT-X-PART-INF:PART-TARGET=0.5\n' +
        '#EXTINF:4,\na.ts\n#EXT-X-PROGRAM-DATE-TIME:2024-01-01T00:00:00Z\n' +
        '#EXT-X-PART:DURATION=0.5,URI="b0.ts"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="b1.ts"',
    )
    expect(playlist.segments.map(({ url }) => url)).toEqual(['http://origin.test/vod/a.ts'])
  })

  test('may have titles, dates and keys of any form', () => {
    const playlist = media(
      '#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXT-X-DATERANGE:ID="it\'s",X-A\n' +
        "#EXTINF:4,Été – it's\na.ts\n#EXTINF:4\nb.ts",
    )
    expect(playlist.segments).toHaveLength(2)
  })

  test('names its initialisation sections once', () => {
    const { initSections } = media(
      '#EXT-X-MAP:URI="it\'s.mp4",BYTERANGE="10@5"\n#EXTINF:4,\na.m4s\n#EXTINF:4,\nb.m4s',
    )
    expect(initSections).toEqual([{ url: "http://origin.test/vod/it's.mp4", range: { start: 5, end: 15 } }])
  })
})

describe('a multivariant playlist', () => {
  const audio = (name: string, more = '') =>
    `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="${name}",LANGUAGE="en",URI="a.m3u8"${more}\n`
  const stream = '#EXT-X-STREAM-INF:BANDWIDTH=1000,FRAME-RATE=25.000,RESOLUTION=4x3,CODECS="x,y",AUDIO="a"\n'

  test('names variants and renditions by their identity', () => {
    const { playlists } = master(`${audio("Director's cut")}${stream}v.m3u8`)
    expect(playlists).toEqual([
      { url: 'http://origin.test/vod/v.m3u8', backups: [], tracks: [trackIdOf('main|1000|4x3|25|x,y|')] },
      {
        url: 'http://origin.test/vod/a.m3u8',
        backups: [],
        tracks: [trackIdOf("audio|a|en|Director's cut|")],
      },
    ])
  })

  test('heeds STABLE-RENDITION-ID and STABLE-VARIANT-ID', () => {
    const { playlists } = master(
      `${audio('A', ',STABLE-RENDITION-ID="r1"')}${stream.replace('\n', ',STABLE-VARIANT-ID="v1"\n')}v.m3u8`,
    )
    expect(playlists.flatMap(({ tracks }) => tracks)).toEqual([
      trackIdOf('main|stable|v1'),
      trackIdOf('audio|stable|r1'),
    ])
  })

  test('joins tracks of one playlist, and follows the first of redundant streams', () => {
    const { playlists } = master(
      '#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nv.m3u8\n' +
        '#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://backup.test/v.m3u8\n' +
        '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"\n',
    )
    const tracks = [trackIdOf('main|1||||'), trackIdOf('main|2||||')]
    expect(playlists).toEqual([
      { url: 'http://origin.test/vod/v.m3u8', tracks, backups: ['http://backup.test/v.m3u8'] },
    ])
  })

  test('gives its variables to the media playlists', () => {
    const { playlists, variables } = master(
      '#EXT-X-DEFINE:NAME="cdn",VALUE="edge1"\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{$cdn}/v.m3u8',
    )
    expect(playlists[0]?.url).toBe('http://origin.test/vod/edge1/v.m3u8')
    const text = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-DEFINE:IMPORT="cdn"\n#EXTINF:4,\n{$cdn}.ts'
    expect(parsePlaylist(text, BASE, variables)).toMatchObject({
      segments: [{ url: 'http://origin.test/vod/edge1.ts' }],
    })
  })
})

describe('what would harm the seeder', () => {
  const wrong = (text: string) => expect(() => parsePlaylist(text, BASE)).toThrow(PlaylistError)
  const header = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n'

  test('numbers that the wire cannot carry', () => {
    for (const number of ['99999999999999999999', '-5', String(2 ** 48 - 1)]) {
      wrong(`${header}#EXT-X-MEDIA-SEQUENCE:${number}\n#EXTINF:4,\na.ts`)
    }
  })

  test('more entries than a title has', () => {
    wrong(header + '#EXTINF:4,\na.ts\n'.repeat(100_001))
    wrong(`#EXTM3U\n${'#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n'.repeat(1_001)}`)
    const variants = Array.from({ length: 900 }, (_, i) => `#EXT-X-STREAM-INF:BANDWIDTH=${i}\n${i}.m3u8\n`)
    expect(master(variants.join('')).playlists).toHaveLength(64)
  })

  test('times without bound', () => {
    const text = '#EXTM3U\n#EXT-X-TARGETDURATION:99999999999\n#EXT-X-PART-INF:PART-TARGET=0.0000001\n'
    const playlist = parsePlaylist(`${text}#EXTINF:1e30,\na.ts\n#EXTINF:-9,\nb.ts`, BASE) as MediaPlaylist
    expect(playlist.targetDuration).toBe(600_000)
    expect(playlist.lowLatency.partTarget).toBe(100)
    expect(playlist.segments.map(({ duration }) => duration)).toEqual([3_600_000, 0])
  })
})

test.each([
  ['HTML', '<!doctype html><title>404</title>'],
  ['nothing', ''],
  ['a bare header', '#EXTM3U\n'],
  ['a URI without tags', '#EXTM3U\n#EXT-X-TARGETDURATION:4\na.ts'],
])('%s is no playlist', (_name, text) => {
  expect(() => parsePlaylist(text, BASE)).toThrow(PlaylistError)
})
