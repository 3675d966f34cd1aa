import type Hls from 'hls.js'
import type { FragmentLoaderContext, LevelSwitchingData, ManifestLoadedData } from 'hls.js'
import { beforeAll, expect, test } from 'vitest'
import { installHlsGlobals, silentLoader } from '../testing/hls-in-node.js'
import { identify } from './identity.js'

let library: typeof import('hls.js')

beforeAll(async () => {
  installHlsGlobals()
  library = await import('hls.js')
})

/** A real hls.js with the levels and tracks that it makes of a multivariant playlist. */
function hlsWith(playlist: string, host = 'https://cdn.example'): Hls {
  const { default: HlsClass, M3U8Parser, Events } = library
  const url = `${host}/main.m3u8`
  const parsed = M3U8Parser.parseMasterPlaylist(playlist, url)
  const media = M3U8Parser.parseMasterPlaylistMedia(playlist, url, parsed)
  const hls = new HlsClass({ autoStartLoad: false, loader: silentLoader(library) })
  const data = { ...parsed, audioTracks: media.AUDIO, url, stats: {} }
  hls.trigger(Events.MANIFEST_LOADED, data as unknown as ManifestLoadedData)
  return hls
}

function contextOf(frag: object, more: object = {}): FragmentLoaderContext {
  return { part: null, rangeStart: 0, rangeEnd: 0, frag, ...more } as unknown as FragmentLoaderContext
}

const identities = (hls: Hls) =>
  hls.levels.map((_, level) => identify(hls, contextOf({ type: 'main', sn: 7, level }))?.track)

const LOW =
  '#EXT-X-STREAM-INF:BANDWIDTH=400000,RESOLUTION=426x240,FRAME-RATE=30.000,CODECS="avc1.42c015,mp4a.40.2",AUDIO="a"'
const HIGH =
  '#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,FRAME-RATE=30.000,CODECS="avc1.42c01e,mp4a.40.2",AUDIO="a"'
const HEVC = '#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=640x360,CODECS="hvc1.1.6.L93.B0"'
const LOW_IDENTITY = 'main|400000|426x240|30|avc1.42c015,mp4a.40.2|'
const HIGH_IDENTITY = 'main|900000|640x360|30|avc1.42c01e,mp4a.40.2|'

test('levels that hls.js filtered and sorted keep the identity of their playlist lines', () => {
  const hls = hlsWith(`#EXTM3U\n${HIGH}\nh.m3u8\n${HEVC}\nx.m3u8\n${LOW}\nl.m3u8\n`)
  expect(identities(hls)).toEqual([LOW_IDENTITY, HIGH_IDENTITY])
})

test('neither host, token nor order of the playlist matter', () => {
  const one = hlsWith(`#EXTM3U\n${HIGH}\nh.m3u8?t=1\n${LOW}\nl.m3u8?t=1\n`, 'https://a.example')
  const other = hlsWith(`#EXTM3U\n${LOW}\nx/l.m3u8?t=2\n${HIGH}\nx/h.m3u8?t=2\n`, 'https://b.example')
  expect(identities(one)).toEqual(identities(other))
})

test('removing a level renumbers the others and changes no identity', () => {
  const hls = hlsWith(`#EXTM3U\n${LOW}\nl.m3u8\n${HIGH}\nh.m3u8\n`)
  hls.removeLevel(0)
  expect(identities(hls)).toEqual([HIGH_IDENTITY])
})

test('redundant streams and pathways are one track', () => {
  const redundant = hlsWith(`#EXTM3U\n${LOW}\nhttps://a.example/l.m3u8\n${LOW}\nhttps://b.example/l.m3u8\n`)
  expect(new Set(identities(redundant))).toEqual(new Set([LOW_IDENTITY]))
  const pathways = hlsWith(`#EXTM3U\n${LOW},PATHWAY-ID="x"\nl.m3u8\n${LOW},PATHWAY-ID="y"\nm.m3u8\n`)
  expect(new Set(identities(pathways))).toEqual(new Set([LOW_IDENTITY]))
})

test('audio renditions by group, language, name and channels', () => {
  const media = (name: string, channels: string) =>
    `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",LANGUAGE="en",NAME="${name}",CHANNELS="${channels}",URI="${name}.m3u8"`
  const hls = hlsWith(`#EXTM3U\n${media('Main', '2')}\n${media('Commentary', '1')}\n${LOW}\nl.m3u8\n`)
  hls.trigger(library.Events.LEVEL_SWITCHING, { level: 0 } as LevelSwitchingData)
  const track = (level: number) => identify(hls, contextOf({ type: 'audio', sn: 3, level }))?.track
  expect([track(0), track(1), track(2)]).toEqual(['audio|a|en|Main|2', 'audio|a|en|Commentary|1', undefined])
})

test('a media playlist without a multivariant playlist', () => {
  const single = new library.Level({
    attrs: new library.AttrList({}),
    url: '',
    bitrate: 0,
    name: '',
  } as never)
  const hls = { levels: [single], audioTracks: [] }
  expect(identify(hls, contextOf({ type: 'main', sn: 0, level: 0 }))?.track).toBe('main|single')
})

test('stable ids win', () => {
  const hls = hlsWith(`#EXTM3U\n${LOW},STABLE-VARIANT-ID="v1"\nl.m3u8\n`)
  expect(identities(hls)).toEqual(['main|stable|v1'])
})

test('what peers do not exchange has no identity', () => {
  const hls = hlsWith(`#EXTM3U\n${LOW}\nl.m3u8\n`)
  const main = { type: 'main', sn: 7, level: 0 }
  expect(identify(hls, contextOf({ ...main, sn: 'initSegment' }))).toBeNull()
  expect(identify(hls, contextOf({ ...main, type: 'subtitle' }))).toBeNull()
  expect(identify(hls, contextOf(main, { part: { index: 0xffff } }))).toBeNull()
  expect(identify(hls, contextOf({ ...main, level: 9 }))).toBeNull()
})

test('byte ranges', () => {
  const hls = hlsWith(`#EXTM3U\n${LOW}\nl.m3u8\n`)
  const main = { type: 'main', sn: 7, level: 0 }
  expect(identify(hls, contextOf(main))?.range).toBeNull()
  const ranged = identify(hls, contextOf(main, { rangeStart: 0, rangeEnd: 100 }))
  expect(ranged?.range).toEqual({ start: 0, end: 100 })
  expect(ranged?.segment).toMatchObject({ sequence: 7, part: null })
})

test('a low-latency part is one of its segment', () => {
  const hls = hlsWith(`#EXTM3U\n${LOW}\nl.m3u8\n`)
  const main = { type: 'main', sn: 7, level: 0 }
  const part = identify(hls, contextOf(main, { part: { index: 3 }, rangeStart: 100, rangeEnd: 300 }))
  expect(part?.segment).toMatchObject({ sequence: 7, part: 3 })
  expect(part?.segment.track).toBe(identify(hls, contextOf(main))?.segment.track)
  expect(part?.range).toEqual({ start: 100, end: 300 })
})
