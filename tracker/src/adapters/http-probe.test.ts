import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isPublic, probePlaylist } from './http-probe.js'

let asked: string[] = []
const server = createServer((request, response) => {
  const path = request.url ?? ''
  asked.push(path)
  if (path === '/good') response.end('#EXTM3U\n#EXT-X-VERSION:3\n')
  else if (path === '/endless') response.write('#EXTM3U\n')
  else if (path === '/page') response.end('<html>')
  else if (path === '/short') response.end('#EXT')
  else if (path === '/moved') response.writeHead(302, { location: '/good' }).end()
  else response.writeHead(404).end('#EXTM3U')
})
let base = ''

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

describe('probePlaylist', () => {
  it.each([
    ['/good', true],
    ['/endless', true],
    ['/page', false],
    ['/short', false],
    ['/moved', false],
    ['/gone', false],
  ])('%s: %s', async (path, expected) => {
    expect(await probePlaylist(base + path, true)).toBe(expected)
  })

  it('nobody there', async () => {
    expect(await probePlaylist('http://127.0.0.1:1/', true)).toBe(false)
  })

  it('connects to nothing inside, by address or by name', async () => {
    asked = []
    const { port } = server.address() as AddressInfo
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::ffff:127.0.0.1]',
      '2130706433',
      '0x7f.1',
      '[::1]',
      '0.0.0.0',
    ]) {
      expect([host, await probePlaylist(new URL(`http://${host}:${port}/good`).href, false)]).toEqual([
        host,
        false,
      ])
    }
    expect(asked).toEqual([])
  })

  it.each([
    '10.0.0.1',
    '172.16.1.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '127.0.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::1',
    'ff02::1',
    'localhost',
    '',
  ])('%s is not public', (address) => {
    expect(isPublic(address)).toBe(false)
  })

  it.each(['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is public', (address) => {
    expect(isPublic(address)).toBe(true)
  })
})
