import { X509Certificate } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PeerLink } from '@shoal/core'
import { type DialAddress, dialAnswer, type PeerId } from '@shoal/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createNodeLinkFactory, type NodeLinkFactory } from '../node-link-factory.js'
import { ephemeralCertificate, storedCertificate } from './certificate.js'
import { type DirectDial, readDial } from './dial.js'
import { DirectListener } from './listener.js'

const PEER = '-SH0100-abcdefghijkl' as PeerId
const HOST = '127.0.0.1'

/** A UDP port that nobody uses. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    socket.bind(0, HOST, () => {
      const { port } = socket.address()
      socket.close(() => resolve(port))
    })
  })
}

describe('a certificate', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-certificate-'))
  })

  afterEach(() => rmSync(folder, { recursive: true }))

  test('signs itself, and does not expire', () => {
    const { certificate, fingerprint } = ephemeralCertificate()
    const parsed = new X509Certificate(certificate)
    expect(parsed.verify(parsed.publicKey)).toBe(true)
    expect(parsed.subject).toBe('CN=shoal-seeder')
    expect(parsed.validTo).toContain('9999')
    expect(fingerprint).toMatch(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/)
    expect(ephemeralCertificate().fingerprint).not.toBe(fingerprint)
  })

  test('stays the same once it is in a file that its owner alone may read', () => {
    const file = join(folder, 'direct.pem')
    const made = storedCertificate(file)
    expect(storedCertificate(file)).toEqual(made)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('in a file of something else is a clear error', () => {
    const file = join(folder, 'direct.pem')
    writeFileSync(file, 'nonsense')
    expect(() => storedCertificate(file)).toThrow(/holds no certificate with its key: remove it/)
    const [a, b] = [ephemeralCertificate(), ephemeralCertificate()]
    writeFileSync(file, a.certificate + b.key)
    expect(() => storedCertificate(file)).toThrow(/holds no certificate with its key/)
  })
})

describe('the user fragment of a dial', () => {
  const offer = 'v=0\r\na=ice-ufrag:Ab+/\r\na=ice-pwd:0123456789+/0123456789ab\r\na=mid:data\r\n'
  const address: DialAddress = { host: HOST, port: 9443, fingerprint: ephemeralCertificate().fingerprint }
  const fragment = /a=ice-ufrag:(\S+)/.exec(dialAnswer(offer, PEER, address))?.[1] ?? ''

  test('says who dials and how it is answered', () => {
    const dial = readDial(fragment, 'Ab+/', '2001:db8::1', 5_000)
    expect(dial).toMatchObject({ peerId: PEER, ice: { iceUfrag: fragment } })
    expect(dial?.offer).toContain('a=ice-pwd:0123456789+/0123456789ab\r\n')
    expect(dial?.offer).toContain(' 2001:db8::1 5000 typ host\r\n')
  })

  test.each([
    ['another remote fragment', fragment, 'Ab+x', HOST, 1],
    ['nothing', '', 'Ab+/', HOST, 1],
    ['another form', `x${fragment}`, 'Ab+/', HOST, 1],
    ['a character that ICE does not have', `${fragment}"`, 'Ab+/', HOST, 1],
    ['a line break', `${fragment}\r\na=x`, 'Ab+/', HOST, 1],
    ['a zero', `${fragment}\0`, 'Ab+/', HOST, 1],
    ['too much', fragment + 'a'.repeat(256), 'Ab+/', HOST, 1],
    ['a short password', fragment.slice(0, -3), 'Ab+/', HOST, 1],
    ['no peer id', fragment.replace(/^shoal1.{40}/, 'shoal1'), 'Ab+/', HOST, 1],
    ['a name for a host', fragment, 'Ab+/', 'example.test', 1],
    ['no port', fragment, 'Ab+/', HOST, 0],
  ])('with %s is not taken', (_name, local, remote, host, port) => {
    expect(readDial(local, remote, host, port)).toBeNull()
  })
})

describe('over UDP', () => {
  const factories: NodeLinkFactory[] = []
  let listener: DirectListener | null = null

  afterEach(async () => {
    await Promise.all(factories.splice(0).map((factory) => factory.shutdown()))
    listener?.stop()
  })

  function factory(): NodeLinkFactory {
    const made = createNodeLinkFactory({ bindAddress: HOST })
    factories.push(made)
    return made
  }

  /** A viewer that knows the address alone. */
  function dial(address: DialAddress, told: string[]): PeerLink {
    return factory().dial(address, PEER, {
      onSignal: () => told.push('signal'),
      onOpen: () => told.push('open'),
      onMessage: (channel, bytes) => told.push(`${channel} ${Buffer.from(bytes).toString()}`),
      onDrain: () => undefined,
      onClose: (reason) => told.push(reason),
    })
  }

  async function listen(take: (dial: DirectDial) => boolean = () => true) {
    const port = await freePort()
    const certificate = ephemeralCertificate()
    const links = factory()
    const told: string[] = []
    const dials: string[] = []
    const accepted: PeerLink[] = []
    listener = new DirectListener({
      port,
      address: HOST,
      onError: (error) => told.push(String(error)),
      onDial: (dial) => {
        dials.push(dial.peerId)
        if (!take(dial)) return false
        const end = { port, address: HOST, certificate }
        const link = links.accept(dial, end, {
          onSignal: () => told.push('signal'),
          onOpen: () => told.push('open'),
          onMessage: (channel, bytes) => {
            told.push(`${channel} ${Buffer.from(bytes).toString()}`)
            link.send(channel, Buffer.from('pong'))
          },
          onDrain: () => undefined,
          onClose: (reason) => told.push(reason),
        })
        accepted.push(link)
        return true
      },
    })
    return { told, dials, accepted, address: { host: HOST, port, fingerprint: certificate.fingerprint } }
  }

  const until = (condition: () => void) => vi.waitFor(condition, { timeout: 20_000, interval: 10 })

  test('several peers dial one port, each is one link, and messages pass', async () => {
    const { told, dials, accepted, address } = await listen()
    const heard: string[][] = [[], [], []]
    const links = heard.map((mine) => dial(address, mine))
    await until(() => expect(heard.every((mine) => mine.includes('open'))).toBe(true))
    await until(() => expect(told.filter((event) => event === 'open')).toHaveLength(3))
    for (const link of links) expect(link.send('control', Buffer.from('ping'))).toBe('sent')
    await until(() => expect(heard).toEqual(Array(3).fill(['open', 'control pong'])))
    expect(dials).toEqual([PEER, PEER, PEER])
    expect(told).not.toContain('signal')
    accepted[0]?.close()
    await until(() => expect(heard.flat()).toContain('remote'))
  })

  test('a peer that expects another certificate does not connect', async () => {
    const { address } = await listen()
    const heard: string[] = []
    dial({ ...address, fingerprint: ephemeralCertificate().fingerprint }, heard)
    await until(() => expect(heard).toEqual(['connect-failed']))
  })

  test('who was not taken is taken later, when it asks again', async () => {
    let room = false
    const { dials, address } = await listen(() => room)
    const heard: string[] = []
    dial(address, heard)
    await until(() => expect(dials.length).toBeGreaterThan(0))
    room = true
    await until(() => expect(heard).toEqual(['open']))
  })

  test('hostile packets do no harm', async () => {
    const { told, dials, address } = await listen()
    const socket = createSocket('udp4')
    const send = (bytes: Buffer) =>
      new Promise<void>((resolve) => socket.send(bytes, address.port, HOST, () => resolve()))
    for (const name of ['', 'a:b', `${'x'.repeat(500)}:y`, '\0:\0', 'shoal1:"\r\na=x', 'é\u{1f600}:ä']) {
      await send(bindingRequest(name))
    }
    await send(Buffer.alloc(1_200, 0xff))
    await send(Buffer.from([0, 1, 255, 255, 0x21, 0x12, 0xa4, 0x42]))
    socket.close()
    const heard: string[] = []
    dial(address, heard)
    await until(() => expect(heard).toEqual(['open']))
    expect(dials).toEqual([PEER])
    expect(told).toEqual(['open'])
  })
})

/** A STUN binding request with a user name and nothing else (RFC 8489 section 5). */
function bindingRequest(userName: string): Buffer {
  const name = Buffer.from(userName)
  const padded = Buffer.alloc(Math.ceil(name.byteLength / 4) * 4)
  name.copy(padded)
  const header = Buffer.alloc(20)
  header.writeUInt16BE(0x0001, 0)
  header.writeUInt16BE(padded.byteLength + 4, 2)
  header.writeUInt32BE(0x2112a442, 4)
  header.fill(7, 8)
  const attribute = Buffer.alloc(4)
  attribute.writeUInt16BE(0x0006, 0)
  attribute.writeUInt16BE(name.byteLength, 2)
  return Buffer.concat([header, attribute, padded])
}
