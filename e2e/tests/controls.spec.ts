import { expect, test } from './support/fixtures.js'

/** hls.js steps that a person or the site takes, with the plugin attached. */
test('seeking, switching quality by force and by itself, hiding the tab', async ({ stack }) => {
  test.setTimeout(150_000)
  await stack.startSeeder(stack.vod)
  const viewer = await stack.open({ src: stack.vod, hls: { maxBufferLength: 8, maxMaxBufferLength: 8 } })
  const { page } = viewer
  await viewer.playedTo(4, 30_000)

  await test.step('a seek forward and back', async () => {
    await page.evaluate(() => {
      const video = document.querySelector('video')
      if (video) video.currentTime = 40
    })
    await viewer.playedTo(43, 20_000)
    await page.evaluate(() => {
      const video = document.querySelector('video')
      if (video) video.currentTime = 10
    })
    await page.waitForTimeout(4_000)
    const { currentTime } = await viewer.state()
    expect(currentTime).toBeGreaterThan(12)
    expect(currentTime).toBeLessThan(20)
  })

  await test.step('quality forced to the highest and the lowest', async () => {
    for (const level of [2, 0]) {
      await page.evaluate((wanted) => {
        window.player.hls.currentLevel = wanted
      }, level)
      await expect
        .poll(async () => (await viewer.state()).width, { timeout: 20_000 })
        .toBe([426, 640, 854][level])
    }
  })

  await test.step('automatic quality rises when peers deliver fast', async () => {
    await page.evaluate(() => {
      window.player.hls.currentLevel = -1
    })
    await expect.poll(async () => (await viewer.state()).width, { timeout: 40_000 }).toBe(854)
  })

  await test.step('automatic quality falls when the network cannot carry it', async () => {
    // No peers any more, and an origin that carries the lowest rendition only.
    await page.evaluate(() => window.player.shoal.detach())
    stack.origin.faults.limitBandwidth(60_000)
    await page.evaluate(() => {
      const video = document.querySelector('video')
      if (video) video.currentTime = 0
    })
    await expect.poll(async () => (await viewer.state()).loadLevel, { timeout: 40_000 }).toBe(0)
    stack.origin.faults.clear()
    await page.evaluate(() => window.player.shoal.attach(window.player.hls))
  })

  await test.step('the tab hidden and shown', async () => {
    const session = await page.context().newCDPSession(page)
    await session.send('Emulation.setFocusEmulationEnabled', { enabled: false })
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    })
    const hidden = await viewer.state()
    await page.waitForTimeout(3_000)
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    })
    await expect
      .poll(async () => (await viewer.state()).currentTime, { timeout: 20_000 })
      .toBeGreaterThan(hidden.currentTime + 2)
  })

  const state = await viewer.state()
  expect(state.fatal).toEqual([])
  expect(viewer.errors).toEqual([])
})

test('quality follows a network that gets worse, with peers and without a stall', async ({ stack }) => {
  test.setTimeout(100_000)
  const viewer = await stack.open({ src: stack.vod, hls: { maxBufferLength: 12, maxMaxBufferLength: 12 } })
  await expect.poll(async () => (await viewer.state()).width, { timeout: 30_000 }).toBe(854)
  // 640 kbit/s: enough for 240p (300 kbit/s), not for 360p and 480p.
  stack.origin.faults.limitBandwidth(80_000)
  await expect.poll(async () => (await viewer.state()).loadLevel, { timeout: 50_000 }).toBe(0)
  expect((await viewer.state()).fatal).toEqual([])
})

test('twenty cycles of attach and destroy leave nothing behind', async ({ stack }) => {
  test.setTimeout(180_000)
  await stack.startSeeder(stack.vod)
  const companion = await stack.open({ src: stack.vod })
  await companion.playedTo(3, 30_000)
  const viewer = await stack.open({ src: 'about:blank', init: COUNT_RESOURCES, idle: true })
  const { page } = viewer

  const cycle = async (): Promise<void> => {
    await page.evaluate(
      async ({ src, tracker }) => {
        const { Hls, ShoalPlayer } = window as never as {
          // biome-ignore lint/suspicious/noExplicitAny: the page's script-tag builds
          Hls: any
          // biome-ignore lint/suspicious/noExplicitAny: the page's script-tag builds
          ShoalPlayer: any
        }
        const video = document.createElement('video')
        video.muted = true
        document.body.append(video)
        const hls = new Hls()
        const shoal = new ShoalPlayer.Shoal({ tracker })
        shoal.attach(hls)
        hls.loadSource(src)
        hls.attachMedia(video)
        video.play().catch(() => undefined)
        const until = performance.now() + 15_000
        while (
          performance.now() < until &&
          !(video.currentTime > 0.5 && shoal.stats.seederBytes + shoal.stats.peerBytes > 0)
        ) {
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
        if (shoal.stats.seederBytes + shoal.stats.peerBytes === 0) throw new Error('no peers in this cycle')
        shoal.destroy()
        hls.destroy()
        video.remove()
      },
      { src: stack.vod, tracker: stack.tracker.announce },
    )
  }
  const left = () =>
    page.evaluate(async () => {
      // simple-peer's own timers hold a closed connection for five seconds.
      await new Promise((resolve) => setTimeout(resolve, 6_000))
      for (let i = 0; i < 3; i++) (globalThis as never as { gc(): void }).gc()
      const { openConnections, openSockets, intervals } = (window as never as { resources: Resources })
        .resources
      const memory = (performance as never as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize
      return { connections: openConnections(), sockets: openSockets(), intervals: intervals(), memory }
    })

  for (let i = 0; i < 3; i++) await cycle()
  const early = await left()
  for (let i = 0; i < 20; i++) await cycle()
  const late = await left()

  expect(late.connections).toBe(0)
  expect(late.sockets).toBe(0)
  expect(late.intervals).toBe(early.intervals)
  // 20 cycles of several megabytes each: a cache or player kept would show as tens of megabytes.
  expect(late.memory - early.memory).toBeLessThan(4 * 1024 * 1024)
  expect(viewer.errors).toEqual([])
  expect((await companion.state()).stalls).toEqual([])
})

interface Resources {
  openConnections(): number
  openSockets(): number
  intervals(): number
}

/** Runs in the page before its scripts: counts what must be given back. */
const COUNT_RESOURCES = `{
  const connections = new Set()
  const sockets = new Set()
  const running = new Set()
  const NativeConnection = window.RTCPeerConnection
  window.RTCPeerConnection = class extends NativeConnection {
    constructor(...args) { super(...args); connections.add(this) }
    close() { connections.delete(this); super.close() }
  }
  const NativeSocket = window.WebSocket
  window.WebSocket = class extends NativeSocket {
    constructor(...args) { super(...args); sockets.add(this); this.addEventListener('close', () => sockets.delete(this)) }
  }
  const { setInterval: start, clearInterval: end } = window
  window.setInterval = (...args) => { const id = start(...args); running.add(id); return id }
  window.clearInterval = (id) => { running.delete(id); end(id) }
  window.resources = {
    openConnections: () => connections.size,
    openSockets: () => sockets.size,
    intervals: () => running.size,
  }
}`
