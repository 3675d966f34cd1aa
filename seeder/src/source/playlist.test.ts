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
      { sequence: 7, url: 'http://origin.test/vod/a.ts', range: null, start: 0, duration: 4000 },
      { sequence: 8, url: 'http://origin.test/b.ts?t=1', range: null, start: 4000, duration: 3500 },
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
      { url: 'http://origin.test/vod/v.m3u8', tracks: [trackIdOf('main|1000|4x3|25|x,y|')] },
      { url: 'http://origin.test/vod/a.m3u8', tracks: [trackIdOf("audio|a|en|Director's cut|")] },
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
    expect(playlists).toEqual([{ url: 'http://origin.test/vod/v.m3u8', tracks }])
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

test.each([
  ['HTML', '<!doctype html><title>404</title>'],
  ['nothing', ''],
  ['a bare header', '#EXTM3U\n'],
  ['a URI without tags', '#EXTM3U\n#EXT-X-TARGETDURATION:4\na.ts'],
])('%s is no playlist', (_name, text) => {
  expect(() => parsePlaylist(text, BASE)).toThrow(PlaylistError)
})
