import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TrackerSocketEvents } from '@shoal/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { openWsSocket } from './ws-socket.js'

let server: WebSocketServer
let url: string
let events: string[]
let record: TrackerSocketEvents

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 5_000 })

beforeEach(async () => {
  const seen: string[] = []
  events = seen
  record = {
    onOpen: () => seen.push('open'),
    onMessage: (text) => seen.push(`message ${text}`),
    onClose: (reason) => seen.push(`close ${reason}`),
  }
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => server.on('listening', resolve))
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  for (const client of server.clients) client.terminate()
  await new Promise((resolve) => server.close(resolve))
})

const accepted = () => new Promise<WebSocket>((resolve) => server.once('connection', resolve))

test('carries text both ways, and closes once', async () => {
  const remote = accepted()
  const socket = openWsSocket(url, record)
  expect(socket.send('too early')).toBe(false)
  const peer = await remote
  peer.on('message', (data) => peer.send(`got ${data}`))
  await until(() => expect(events).toEqual(['open']))
  expect(socket.send('a')).toBe(true)
  await until(() => expect(events).toContain('message got a'))
  socket.close()
  socket.close()
  await until(() => expect(events.at(-1)).toMatch(/^close closed on this side/))
  expect(socket.send('late')).toBe(false)
  expect(events.filter((event) => event.startsWith('close'))).toHaveLength(1)
})

test('tells when the tracker closes', async () => {
  const remote = accepted()
  openWsSocket(url, record)
  const peer = await remote
  peer.close(1013, 'busy')
  await until(() => expect(events.at(-1)).toBe('close the connection was closed (code 1013)'))
})

test('ends for a message that is too large', async () => {
  const remote = accepted()
  openWsSocket(url, record)
  const peer = await remote
  peer.send('x'.repeat(64 * 1024 + 1))
  await until(() => expect(events.at(-1)).toMatch(/^close the tracker sent a message that is too large/))
})

test('takes no more when its buffer is full', async () => {
  const remote = accepted()
  const socket = openWsSocket(url, record)
  const peer = await remote
  peer.pause()
  await until(() => expect(events).toEqual(['open']))
  const text = 'x'.repeat(64 * 1024)
  let sent = 0
  while (socket.send(text)) sent++
  expect(sent).toBeLessThan(100)
})

test.each(['not a url', 'http://', 'ftp://127.0.0.1', ''])(
  'an unusable URL %j ends in onClose',
  async (bad) => {
    const socket = openWsSocket(bad, record)
    expect(events).toEqual([])
    expect(socket.send('a')).toBe(false)
    socket.close()
    await until(() => expect(events).toEqual([`close ${bad} is not a ws:// or wss:// URL`]))
  },
)

test('nobody there, or no WebSocket there, is told in words', async () => {
  openWsSocket('ws://127.0.0.1:9', record)
  await until(() => expect(events).toEqual(['close the connection was refused']))
  const web = createServer((_request, response) => response.writeHead(404).end())
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  openWsSocket(`ws://127.0.0.1:${(web.address() as AddressInfo).port}`, record)
  await until(() => expect(events.at(-1)).toBe('close Unexpected server response: 404'))
  web.close()
})

test('a close before it is open is told', async () => {
  openWsSocket(url, record).close()
  await until(() => expect(events).toEqual(['close closed on this side']))
})
