import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { ByteSpan } from '@shoal/protocol'
import { afterEach, expect, test, vi } from 'vitest'
import { recordOrigin, spanOf } from '../testing/record-origin.js'
import { rangeHeader } from './place-response.js'
import { createStreamingOrigin } from './streaming-origin.js'

const RESOURCE = Uint8Array.from({ length: 1000 }, (_, i) => i % 251)
const bytesOf = (start: number, end: number) => [...RESOURCE.subarray(start, end)]

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const closers: Array<() => void> = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}/segment.ts`
}

const withRanges: Handler = (request, response) => {
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  if (match === null) {
    response.writeHead(200, { 'Content-Length': RESOURCE.byteLength }).end(RESOURCE)
    return
  }
  const [start, end] = [Number(match[1]), Math.min(Number(match[2]) + 1, RESOURCE.byteLength)]
  const contentRange = `bytes ${start}-${end - 1}/${RESOURCE.byteLength}`
  response.writeHead(206, { 'Content-Range': contentRange }).end(RESOURCE.subarray(start, end))
}

function originOf(url: string, range: ByteSpan | null = null, limits = {}) {
  return createStreamingOrigin({
    range,
    firstByteTimeoutMs: 5000,
    loadTimeoutMs: 5000,
    ...limits,
    request: (asked, signal) => {
      const headers = asked === null ? {} : { Range: rangeHeader(asked) }
      return new Request(url, { signal, headers })
    },
  })
}

test('a whole segment', async () => {
  const recorded = await recordOrigin(originOf(await serve(withRanges)), null)
  expect(recorded).toMatchObject({ totals: [1000], error: null })
  expect(spanOf(recorded, 0, 1000)).toEqual(bytesOf(0, 1000))
})

test('a span of it', async () => {
  const recorded = await recordOrigin(originOf(await serve(withRanges)), { start: 100, end: 200 })
  expect(recorded).toMatchObject({ totals: [1000], error: null })
  expect(recorded.bytes.size).toBe(100)
  expect(spanOf(recorded, 100, 200)).toEqual(bytesOf(100, 200))
})

test('a segment that is a byte range, and a span of that', async () => {
  const origin = originOf(await serve(withRanges), { start: 300, end: 600 })
  const whole = await recordOrigin(origin, null)
  expect(whole).toMatchObject({ totals: [300], error: null })
  expect(spanOf(whole, 0, 300)).toEqual(bytesOf(300, 600))
  const span = await recordOrigin(origin, { start: 10, end: 20 })
  expect([...span.bytes.keys()]).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  expect(spanOf(span, 10, 20)).toEqual(bytesOf(310, 320))
})

test('a server that ignores Range: all of it, at its true offsets', async () => {
  const url = await serve((_request, response) => response.end(RESOURCE))
  const recorded = await recordOrigin(originOf(url), { start: 500, end: 600 })
  expect(recorded.error).toBeNull()
  expect(spanOf(recorded, 0, 1000)).toEqual(bytesOf(0, 1000))
})

test('a server that ignores Range under a byte range: only the segment', async () => {
  const url = await serve((_request, response) => response.end(RESOURCE))
  const recorded = await recordOrigin(originOf(url, { start: 300, end: 600 }), null)
  expect(recorded).toMatchObject({ totals: [300], error: null })
  expect(recorded.bytes.size).toBe(300)
  expect(spanOf(recorded, 0, 300)).toEqual(bytesOf(300, 600))
})

test('a server that sends another part than asked for', async () => {
  const url = await serve((_request, response) =>
    response.writeHead(206, { 'Content-Range': 'bytes 50-149/1000' }).end(RESOURCE.subarray(50, 150)),
  )
  const recorded = await recordOrigin(originOf(url), { start: 0, end: 100 })
  expect(recorded.error).toMatchObject({ kind: 'bad-response', status: 206 })
  expect(spanOf(recorded, 50, 150)).toEqual(bytesOf(50, 150))
})

test('too little of a span is no success', async () => {
  const url = await serve((_request, response) =>
    response.writeHead(206, { 'Content-Range': 'bytes 0-49/1000' }).end(RESOURCE.subarray(0, 50)),
  )
  const recorded = await recordOrigin(originOf(url), { start: 0, end: 100 })
  expect(recorded.error).toMatchObject({ kind: 'bad-response' })
})

test('an empty response is no success', async () => {
  const url = await serve((_request, response) => response.end())
  expect((await recordOrigin(originOf(url), null)).error).toMatchObject({ kind: 'bad-response', status: 200 })
})

test('HTTP errors keep their status', async () => {
  const url = await serve((_request, response) => response.writeHead(404).end())
  const { error } = await recordOrigin(originOf(url), null)
  expect(error).toMatchObject({ kind: 'http-status', status: 404 })
  expect(error?.details).toBeInstanceOf(Response)
})

test('a connection that breaks in the middle', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'Content-Length': 1000 }).write(RESOURCE.subarray(0, 400))
    setTimeout(() => response.destroy(), 20)
  })
  const recorded = await recordOrigin(originOf(url), null)
  expect(recorded.error).toMatchObject({ kind: 'network', status: 0 })
  expect(spanOf(recorded, 0, 400)).toEqual(bytesOf(0, 400))
})

test('no answer, and an answer that never ends, are timeouts', async () => {
  const silent = await serve(() => {})
  const first = await recordOrigin(originOf(silent, null, { firstByteTimeoutMs: 30 }), null)
  expect(first.error).toMatchObject({ kind: 'timeout' })
  const slow = await serve((_request, response) => void response.write(RESOURCE))
  const second = await recordOrigin(originOf(slow, null, { loadTimeoutMs: 60 }), null)
  expect(second.error).toMatchObject({ kind: 'timeout' })
})

test('a body that falls silent is a timeout long before the whole load is', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'Content-Length': 1000 }).write(RESOURCE.subarray(0, 400))
  })
  const recorded = await recordOrigin(
    originOf(url, null, { firstByteTimeoutMs: 100, loadTimeoutMs: 60_000 }),
    null,
  )
  expect(recorded.error).toMatchObject({ kind: 'timeout' })
  expect(spanOf(recorded, 0, 400)).toEqual(bytesOf(0, 400))
})

test('a slow body that never falls silent is read to its end', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'Content-Length': 1000 })
    const send = (at: number) => {
      response.write(RESOURCE.subarray(at, at + 100))
      if (at < 900) setTimeout(send, 100, at + 100)
    }
    send(0)
  })
  const recorded = await recordOrigin(originOf(url, null, { firstByteTimeoutMs: 600 }), null)
  expect(recorded.error).toBeNull()
  expect(spanOf(recorded, 0, 1000)).toEqual(bytesOf(0, 1000))
})

test('a body without a length', async () => {
  const url = await serve((_request, response) => {
    response.write(RESOURCE.subarray(0, 400))
    response.end(RESOURCE.subarray(400))
  })
  const recorded = await recordOrigin(originOf(url), null)
  expect(recorded).toMatchObject({ totals: [null], error: null })
  expect(spanOf(recorded, 0, 1000)).toEqual(bytesOf(0, 1000))
})

test('a page in place of a segment is a bad response, and none of it is handed on', async () => {
  const url = await serve((_request, response) => {
    response
      .writeHead(200, { 'Content-Type': 'video/mp2t' })
      .write('<!DOCTYPE html><html><title>Log in</title>')
  })
  for (const span of [null, { start: 100, end: 200 }]) {
    const recorded = await recordOrigin(originOf(url), span)
    expect(recorded.error).toMatchObject({ kind: 'bad-response', status: 200 })
    expect(recorded.bytes.size).toBe(0)
  }
})

test('a part that is longer than asked for and does not say where it lies is not used', async () => {
  const url = await serve((_request, response) =>
    response.writeHead(206, { 'Content-Length': 1000 }).end(RESOURCE),
  )
  const recorded = await recordOrigin(originOf(url), { start: 100, end: 200 })
  expect(recorded.error).toMatchObject({ kind: 'bad-response', status: 206 })
  expect(recorded.bytes.size).toBe(0)
})

test('redirects are followed, for each request anew and with its range', async () => {
  const seen: string[] = []
  const hosts = await Promise.all(
    [0, 1].map((host) =>
      serve((request, response) => {
        seen.push(`${host} ${request.headers.range}`)
        withRanges(request, response)
      }),
    ),
  )
  let next = 0
  const url = await serve((_request, response) =>
    response.writeHead(next === 0 ? 302 : 307, { Location: hosts[next++ % 2] }).end(),
  )
  const origin = originOf(url)
  const spans = [
    { start: 0, end: 100 },
    { start: 100, end: 200 },
  ]
  for (const span of spans) {
    const recorded = await recordOrigin(origin, span)
    expect(recorded).toMatchObject({ totals: [1000], error: null })
    expect(spanOf(recorded, span.start, span.end)).toEqual(bytesOf(span.start, span.end))
  }
  expect(seen).toEqual(['0 bytes=0-99', '1 bytes=100-199'])
})

test('Retry-After comes with the error', async () => {
  const url = await serve((_request, response) => response.writeHead(429, { 'Retry-After': '7' }).end())
  expect((await recordOrigin(originOf(url), null)).error).toMatchObject({ status: 429, retryAfterMs: 7000 })
})

test('bytes are handed on while they arrive', async () => {
  let finish = () => {}
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'Content-Length': 1000 }).write(RESOURCE.subarray(0, 400))
    finish = () => response.end(RESOURCE.subarray(400))
  })
  let loaded = 0
  const done = new Promise<void>((resolve, reject) => {
    originOf(url).fetch(null, {
      onResponse: () => {},
      onData: (_offset, bytes) => {
        loaded += bytes.byteLength
      },
      onDone: () => resolve(),
      onError: reject,
    })
  })
  await vi.waitFor(() => expect(loaded).toBe(400))
  finish()
  await done
  expect(loaded).toBe(1000)
})

test('nothing follows a cancel, and the connection ends', async () => {
  let closed = false
  const url = await serve((request, response) => {
    request.socket.on('close', () => {
      closed = true
    })
    response.write(RESOURCE)
  })
  const told: string[] = []
  const cancel = originOf(url).fetch(null, {
    onResponse: () => told.push('response'),
    onData: () => {
      told.push('data')
      cancel()
    },
    onDone: () => told.push('done'),
    onError: () => told.push('error'),
  })
  await vi.waitFor(() => expect(closed).toBe(true))
  expect(told).toEqual(['response', 'data'])
})

test('where the request itself cannot be made for its Range, all is asked for', async () => {
  const url = await serve(withRanges)
  const asked: (ByteSpan | null)[] = []
  const origin = createStreamingOrigin({
    range: null,
    firstByteTimeoutMs: 5000,
    loadTimeoutMs: 5000,
    request: (range, signal) => {
      asked.push(range)
      // What a failed CORS preflight looks like.
      if (range !== null) throw new TypeError('Failed to fetch')
      return new Request(url, { signal })
    },
  })
  const recorded = await recordOrigin(origin, { start: 100, end: 200 })
  expect(recorded.error).toBeNull()
  expect(spanOf(recorded, 100, 200)).toEqual(bytesOf(100, 200))
  await recordOrigin(origin, { start: 0, end: 10 })
  expect(asked).toEqual([{ start: 100, end: 200 }, null, null])
})
