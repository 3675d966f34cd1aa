import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type MirrorRequest, Mirrors, mirrorUrl } from './mirrors.js'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

/** A mirror's playlist URL, and the requests that came there. */
async function mirror(listener: RequestListener) {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.url} ${request.headers.range ?? 'all'}`)
    expect(request.headers).not.toHaveProperty('referer')
    expect(request.headers).not.toHaveProperty('cookie')
    listener(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { playlist: `http://127.0.0.1:${port}/live/index.m3u8`, requests }
}

const MEDIA = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251)
const sendMedia: RequestListener = (_request, response) => void response.end(MEDIA)

/** Sends less than it says. */
function breakOff(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Length': 9999 }).write(MEDIA, () => response.destroy())
}

function requestOf(changes: Partial<MirrorRequest> = {}): MirrorRequest {
  return {
    url: 'http://origin.test/title/720p/1.ts?token=secret',
    range: null,
    maxBytes: 1000,
    text: false,
    signal: new AbortController().signal,
    accepts: () => true,
    ...changes,
  }
}

function mirrorsOf(...playlists: readonly string[]): Mirrors {
  return new Mirrors({ playlists: () => playlists, manifestUrl: () => 'http://origin.test/title/index.m3u8' })
}

test.each([
  ['beside the playlist', 'https://o.test/a/v/1.ts', 'https://s.test/m/i.m3u8', 'https://s.test/m/v/1.ts'],
  ['elsewhere', 'https://o.test/b/1.ts', 'https://s.test/m/i.m3u8', 'https://s.test/m/b/1.ts'],
  ['at another host', 'https://p.test/a/1.ts', 'https://s.test/i.m3u8', 'https://s.test/a/1.ts'],
  ['without queries', 'https://o.test/a/1.ts?t=1', 'https://s.test/i.m3u8?s=2', 'https://s.test/1.ts'],
  ['a step up', 'http://o.test/a/1.ts', 'https://s.test/i.m3u8', 'https://s.test/a/1.ts'],
  ['no step down', 'https://o.test/a/1.ts', 'http://s.test/i.m3u8', null],
  ['no URL', 'https://o.test/a/1.ts', 'https://', null],
])('where a mirror has a file: %s', (_what, url, playlist, expected) => {
  expect(mirrorUrl(url, 'https://o.test/a/index.m3u8?t=1', playlist)).toBe(expected)
})

test('a file comes from a mirror, and no query goes there', async () => {
  const { playlist, requests } = await mirror(sendMedia)
  const mirrored = await mirrorsOf(playlist).load(requestOf())
  expect(mirrored?.bytes).toEqual(MEDIA)
  expect(mirrored?.timing.end).toBeGreaterThanOrEqual(mirrored?.timing.first ?? Infinity)
  expect(requests).toEqual(['/live/720p/1.ts all'])
})

test('a range of a file', async () => {
  const { playlist, requests } = await mirror((_request, response) =>
    response.writeHead(206, { 'Content-Range': 'bytes 100-199/1000' }).end(MEDIA.subarray(100, 200)),
  )
  const mirrored = await mirrorsOf(playlist).load(requestOf({ range: { start: 100, end: 200 } }))
  expect(mirrored?.bytes).toEqual(MEDIA.subarray(100, 200))
  expect(requests).toEqual(['/live/720p/1.ts bytes=100-199'])
})

test('the next one is asked where the first does not have it, two at most', async () => {
  const without = await mirror((_request, response) => void response.writeHead(404).end())
  const second = await mirror(sendMedia)
  const good = mirrorsOf(without.playlist, second.playlist)
  expect((await good.load(requestOf()))?.bytes).toEqual(MEDIA)
  // It may have the next one.
  await good.load(requestOf())
  expect(without.requests).toHaveLength(2)
  expect(await mirrorsOf(without.playlist, without.playlist, second.playlist).load(requestOf())).toBeNull()
})

test.each<[string, RequestListener, Partial<MirrorRequest>]>([
  ['is not accepted', sendMedia, { accepts: () => false }],
  ['is too long', sendMedia, { maxBytes: 999 }],
  ['is a page', (_request, response) => void response.end('<!DOCTYPE html><html><title>Log in</title>'), {}],
  ['breaks off', (_request, response) => breakOff(response), {}],
  [
    'leads elsewhere',
    (_request, response) => response.writeHead(302, { Location: 'http://127.0.0.1:9/' }).end(),
    {},
  ],
])('what %s is not used, and its mirror is left alone for a while', async (_what, listener, changes) => {
  const { playlist, requests } = await mirror(listener)
  const mirrors = mirrorsOf(playlist)
  expect(await mirrors.load(requestOf(changes))).toBeNull()
  expect(await mirrors.load(requestOf())).toBeNull()
  expect(requests).toHaveLength(1)
})

test('one that does not answer, or has a name and password in its URL, is no harm', async () => {
  expect(await mirrorsOf('http://127.0.0.1:9/i.m3u8', 'http://a:b@127.0.0.1/').load(requestOf())).toBeNull()
  expect(mirrorsOf().known).toBe(false)
})

test('a load that is aborted ends at once, and its mirror is not blamed', async () => {
  const abort = new AbortController()
  let answer = false
  const { playlist, requests } = await mirror((request, response) => {
    if (answer) return sendMedia(request, response)
    abort.abort()
  })
  const mirrors = mirrorsOf(playlist)
  expect(await mirrors.load(requestOf({ signal: abort.signal }))).toBeNull()
  answer = true
  expect((await mirrors.load(requestOf()))?.bytes).toEqual(MEDIA)
  expect(requests).toHaveLength(2)
})

test('text comes where text is wanted', async () => {
  const { playlist } = await mirror(
    (_request, response) => void response.end('#EXTM3U\n#EXT-X-TARGETDURATION:4\n'),
  )
  const mirrored = await mirrorsOf(playlist).load(requestOf({ text: true }))
  expect(new TextDecoder().decode(mirrored?.bytes)).toBe('#EXTM3U\n#EXT-X-TARGETDURATION:4\n')
})
