import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openTrackerSocket, SOCKET_BUFFER_HIGH_BYTES } from './tracker-socket.js'

/** A WebSocket that a test drives. */
class FakeWebSocket {
  static last: FakeWebSocket
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number; reason: string }) => void) | null = null
  bufferedAmount = 0
  closing = false
  readonly sent: string[] = []

  constructor(readonly url: string) {
    if (url.startsWith('ws://mixed')) throw new DOMException('mixed content', 'SecurityError')
    FakeWebSocket.last = this
  }
  send(text: string): void {
    if (this.closing) throw new DOMException('closing', 'InvalidStateError')
    this.sent.push(text)
  }
  close(): void {
    this.closing = true
  }
}

beforeEach(() => void vi.stubGlobal('WebSocket', FakeWebSocket))
afterEach(() => void vi.unstubAllGlobals())

function open(url = 'wss://tracker.example/') {
  const told: string[] = []
  const socket = openTrackerSocket(url, {
    onOpen: () => told.push('open'),
    onMessage: (text) => told.push(`message ${text}`),
    onClose: (reason) => told.push(`close ${reason}`),
  })
  return { socket, told, web: FakeWebSocket.last }
}

test('text goes both ways once it is open', () => {
  const { socket, told, web } = open()
  expect(socket.send('early')).toBe(false)
  web.onopen?.()
  expect(socket.send('hello')).toBe(true)
  web.onmessage?.({ data: 'there' })
  web.onmessage?.({ data: new ArrayBuffer(1) })
  web.onclose?.({ code: 1006, reason: '' })
  web.onclose?.({ code: 1000, reason: 'again' })
  expect(web.sent).toEqual(['hello'])
  expect(told).toEqual(['open', 'message there', 'close closed with code 1006'])
  expect(socket.send('late')).toBe(false)
})

test('a tracker that does not read is not written to', () => {
  const { socket, web } = open()
  web.onopen?.()
  web.bufferedAmount = SOCKET_BUFFER_HIGH_BYTES
  expect(socket.send('more')).toBe(false)
})

test('a URL that the browser refuses ends in onClose', async () => {
  const { socket, told } = open('ws://mixed.example/')
  expect(told).toEqual([])
  await Promise.resolve()
  expect(told).toEqual(['close the browser refused the URL'])
  expect(socket.send('x')).toBe(false)
  socket.close()
})

test('close is told at once, whatever the network does', async () => {
  const { socket, told, web } = open()
  web.onopen?.()
  socket.close()
  socket.close()
  expect(socket.send('x')).toBe(false)
  await Promise.resolve()
  web.onmessage?.({ data: 'late' })
  web.onclose?.({ code: 1000, reason: '' })
  expect(told).toEqual(['open', 'close closed'])
})

test('a socket that closes under a send', () => {
  const { socket, web } = open()
  web.onopen?.()
  web.closing = true
  expect(socket.send('x')).toBe(false)
})
