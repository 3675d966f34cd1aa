import { once } from 'node:events'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { describeEngines } from '../testing/engines.js'
import { announce, answer, candidates, id, offers, shoal } from '../testing/messages.js'
import { RawClient } from '../testing/raw-client.js'

let serial = 0

/** Each test has a swarm of its own. */
function newHash(): string {
  return id(`raw ${serial++} \u0000\u00ff"\\`)
}

describeEngines('raw clients', {}, (at) => {
  it('announce, and are relayed offers, answers and candidates', async () => {
    const info_hash = newHash()
    const [a, b] = [await RawClient.open(at.url, '/announce?x=1'), await RawClient.open(at.url)]
    expect(await a.ask(shoal('a', {}, { info_hash }))).toEqual({
      complete: 0,
      incomplete: 1,
      action: 'announce',
      interval: 120,
      info_hash,
      shoal: { v: 1, report_interval: 10, eligible: 1, median_uplink: 0, attestor: expect.any(String) },
    })
    expect(await b.ask(shoal('b', {}, { info_hash, ...offers('o') }))).toMatchObject({ incomplete: 2 })
    expect(await a.next()).toEqual({
      action: 'announce',
      info_hash,
      peer_id: id('b'),
      offer_id: id('o'),
      offer: { type: 'offer', sdp: 'sdp o' },
      shoal: { v: 1, cost: 0, age: 0 },
    })
    a.send({ ...answer('a', 'b', 'o'), info_hash })
    expect(await b.next()).toMatchObject({ info_hash, peer_id: id('a'), answer: { sdp: 'answer to o' } })
    b.send({ ...candidates('b', 'a', 'o'), info_hash })
    expect(await a.next()).toMatchObject({ info_hash, peer_id: id('b'), shoal: { v: 1 } })
    await a.expectNothingElse()
    await b.expectNothingElse()
    await Promise.all([a.close(), b.close()])
  })

  it('that offer subprotocols get one of them', async () => {
    const ws = new WebSocket(at.url.replace('http', 'ws'), ['webtorrent', 'other'])
    await once(ws, 'open')
    expect(ws.protocol).toBe('webtorrent')
    ws.terminate()
  })

  it('send text or binary frames and get text', async () => {
    const client = await RawClient.open(at.url)
    client.send(Buffer.from(JSON.stringify(announce('a', { info_hash: newHash() }))))
    const { binary } = await client.nextFrame()
    expect(binary).toBe(false)
    await client.close()
  })

  it('of 16 KiB descriptions in announces near 64 KiB are served', async () => {
    const info_hash = newHash()
    const [a, b] = [await RawClient.open(at.url), await RawClient.open(at.url)]
    await a.ask(announce('a', { info_hash }))
    const sdp = 'v'.repeat(16 * 1024)
    const list = ['1', '2', '3'].map((o) => ({ offer_id: id(o), offer: { type: 'offer', sdp } }))
    expect(await b.ask(announce('b', { info_hash, offers: list }))).toMatchObject({ incomplete: 2 })
    expect(await a.next()).toMatchObject({ offer: { sdp } })
    await Promise.all([a.close(), b.close()])
  })

  it('share one socket among swarms and peers, and leave all with it', async () => {
    const [one, two] = [newHash(), newHash()]
    const client = await RawClient.open(at.url)
    await client.ask(announce('a', { info_hash: one }))
    await client.ask(announce('b', { info_hash: one }))
    await client.ask(announce('c', { info_hash: two, left: 0 }))
    const watcher = await RawClient.open(at.url)
    expect(await watcher.ask({ action: 'scrape', info_hash: [one, two] })).toEqual({
      action: 'scrape',
      files: {
        [one]: { complete: 0, incomplete: 2, downloaded: 0 },
        [two]: { complete: 1, incomplete: 0, downloaded: 0 },
      },
      flags: { min_request_interval: 600 },
    })
    client.ws.terminate()
    await expect
      .poll(async () => (await watcher.ask({ action: 'scrape', info_hash: [one, two] }))['files'])
      .toMatchObject({ [one]: { incomplete: 0 }, [two]: { complete: 0 } })
    await watcher.close()
  })

  it('reconnect with the same peer id while the old socket is half open', async () => {
    const info_hash = newHash()
    const [old, fresh, other] = [
      await RawClient.open(at.url),
      await RawClient.open(at.url),
      await RawClient.open(at.url),
    ]
    await old.ask(announce('a', { info_hash }))
    expect(await fresh.ask(announce('a', { info_hash }))).toMatchObject({ incomplete: 1 })
    await other.ask(announce('b', { info_hash, ...offers('o') }))
    expect(await fresh.next()).toMatchObject({ offer_id: id('o') })
    await old.expectNothingElse()
    await old.close()
    expect(await other.ask(announce('b', { info_hash }))).toMatchObject({ incomplete: 2 })
    await Promise.all([fresh.close(), other.close()])
  })

  it.each([
    ['null', 'null'],
    ['an array', '[1,2]'],
    ['a number', '12'],
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0xc3])],
    ['deep JSON', `${'[{"a":'.repeat(5000)}0${'}]'.repeat(5000)}`],
    ['an unknown action', { action: 'destroy' }],
    ['a wrong hash', announce('a', { info_hash: 5 })],
    ['a null offer', announce('a', { offers: [null] })],
    ['a full scrape', { action: 'scrape' }],
    ['a wrong extension', shoal('a', { role: 3 })],
  ])('may send %s and go on', async (_, message) => {
    const info_hash = newHash()
    const [client, other] = [await RawClient.open(at.url), await RawClient.open(at.url)]
    await other.ask(announce('x', { info_hash }))
    const failure = await client.ask(message)
    expect(failure).toMatchObject({ 'failure reason': expect.stringMatching(/^[a-z_.[\]0-9]+: ./) })
    expect(['announce', 'scrape']).toContain(failure['action'])
    expect(await client.ask(announce('a', { info_hash }))).toMatchObject({ incomplete: 2 })
    await Promise.all([client.close(), other.close()])
  })

  it('that send too much at once lose their socket only', async () => {
    const [client, other] = [await RawClient.open(at.url), await RawClient.open(at.url)]
    const closed = once(client.ws, 'close')
    client.send('x'.repeat(70 * 1024))
    await closed
    expect(await other.ask(announce('a', { info_hash: newHash() }))).toMatchObject({ incomplete: 1 })
    await other.close()
  })

  it('that send nothing but rubbish are ended', async () => {
    const client = await RawClient.open(at.url)
    const closed = once(client.ws, 'close')
    for (let i = 0; i < 150; i++) client.send('null')
    const [code] = await closed
    expect(code).toBe(1008)
  })

  it('that stop reading are ended', async () => {
    const info_hash = newHash()
    const [slow, busy] = [await RawClient.open(at.url), await RawClient.open(at.url)]
    await slow.ask(announce('slow', { info_hash }))
    slow.ws.pause()
    const closed = once(slow.ws, 'close')
    const sdp = 'v'.repeat(16 * 1024)
    let left = false
    // One of the two peers stays until the kernel's buffers and the tracker's are full.
    for (let i = 0; i < 2000 && !left; i++) {
      const list = [{ offer_id: id(`${i}`), offer: { type: 'offer', sdp } }]
      left = (await busy.ask(announce(`busy ${i % 50}`, { info_hash, offers: list })))['incomplete'] === 1
      if (!left) await busy.ask(announce(`busy ${i % 50}`, { info_hash, event: 'stopped' }))
    }
    expect(left).toBe(true)
    slow.ws.resume()
    await closed
    await busy.close()
  })
})

describeEngines('limits', { limits: { maxConnections: 2, maxPeersPerSocket: 1 } }, (at) => {
  it('refuse a socket too many, and one that has left makes room', async () => {
    const [a, b] = [await RawClient.open(at.url), await RawClient.open(at.url)]
    await expect(RawClient.open(at.url)).rejects.toThrow('503')
    await a.close()
    await expect.poll(() => at.stats().sockets).toBe(1)
    const c = await RawClient.open(at.url)
    await Promise.all([b.close(), c.close()])
  })

  it('refuse a swarm too many on one socket', async () => {
    const client = await RawClient.open(at.url)
    await client.ask(announce('a', { info_hash: newHash() }))
    const info_hash = newHash()
    expect(await client.ask(announce('a', { info_hash }))).toEqual({
      'failure reason': 'too many swarms on this socket',
      code: 'full',
      action: 'announce',
      info_hash,
    })
    await client.close()
  })
})
