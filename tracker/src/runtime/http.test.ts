import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FeedFrame, TrackerStats } from '@shoal/protocol'
import { unpack } from 'msgpackr'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SILENT_LOG } from '../adapters/log.js'
import { loadStaticFiles } from '../adapters/static-files.js'
import { describeEngines } from '../testing/engines.js'
import { id, shoal } from '../testing/messages.js'
import { RawClient } from '../testing/raw-client.js'
import { MAX_FEEDS } from './feed.js'
import { createRoutes } from './routes.js'

const folder = await mkdtemp(join(tmpdir(), 'shoal-dashboard-'))
const pages = join(folder, 'dist')

beforeAll(async () => {
  await mkdir(join(pages, 'assets'), { recursive: true })
  await writeFile(join(pages, 'index.html'), '<title>Dashboard</title>')
  await writeFile(join(pages, 'assets', 'app-1234.js'), 'run()')
  await writeFile(join(pages, 'notes.xyz'), 'not served')
  await writeFile(join(folder, 'secret.txt'), 'secret')
})

afterAll(() => rm(folder, { recursive: true }))

/** A path exactly as it is: `fetch` would normalise it. */
async function status(url: string, target: string, method = 'GET'): Promise<number> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.end(`${method} ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
  const [head] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return Number(head.toString().split(' ')[1])
}

describeEngines('HTTP', { dashboardFolder: pages }, (at) => {
  it('/health and /stats.json are open to other pages', async () => {
    const health = await fetch(`${at.url}/health`)
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }])
    expect(health.headers.get('access-control-allow-origin')).toBe('*')
    const stats = await fetch(`${at.url}/stats.json?fresh=1`)
    expect(stats.headers.get('access-control-allow-origin')).toBe('*')
    expect(stats.headers.get('content-type')).toBe('application/json')
    expect((await stats.json()) as TrackerStats).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      engine: at.tracker?.engine,
      swarms: 0,
      top: [],
    })
  })

  it('/stats.json has what peers report, and keeps it when they leave', async () => {
    const client = await RawClient.open(at.url)
    const report = { http: 10, peers: 20, seeders: 30, uploaded: 40, links: 1, stalls: 2 }
    await client.ask(shoal('s', { role: 'seeder', name: 'Title' }))
    await client.ask(shoal('v', { report }, { event: 'update' }))
    const sums = { httpBytes: 10, peerBytes: 20, seederBytes: 30, uploadedBytes: 40, stalls: 2 }
    expect(at.stats()).toMatchObject({
      sockets: 1,
      viewers: 1,
      seeders: 1,
      swarms: 1,
      totals: sums,
      top: [{ name: 'Title', viewers: 1, seeders: 1, others: 0, ...sums }],
    })
    await client.close()
    await expect.poll(() => at.stats()).toMatchObject({ sockets: 0, swarms: 0, totals: sums })
  })

  it('/metrics is Prometheus text', async () => {
    const client = await RawClient.open(at.url)
    await client.ask(shoal('m', {}, { info_hash: id('metrics') }))
    const metrics = await fetch(`${at.url}/metrics`)
    expect(metrics.headers.get('content-type')).toContain('text/plain')
    const text = await metrics.text()
    expect(text).toMatch(/^shoal_tracker_messages_total\{kind="announce"\} [1-9]/m)
    expect(text).toMatch(/^shoal_tracker_sockets 1$/m)
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m)
    await client.close()
  })

  it('/dashboard/ serves its files and no others', async () => {
    const page = await fetch(`${at.url}/dashboard`)
    expect([page.url, await page.text()]).toEqual([`${at.url}/dashboard/`, '<title>Dashboard</title>'])
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('cache-control')).toBe('no-cache')
    const script = await fetch(`${at.url}/dashboard/assets/app-1234.js`)
    expect(await script.text()).toBe('run()')
    expect(script.headers.get('cache-control')).toContain('immutable')
    for (const path of [
      'notes.xyz',
      'assets',
      'assets/',
      '../secret.txt',
      '..%2fsecret.txt',
      '/etc/passwd',
    ]) {
      expect(await status(at.url, `/dashboard/${path}`), path).toBe(404)
    }
  })

  it('answers HEAD without a body, refuses other methods and paths', async () => {
    const head = await fetch(`${at.url}/dashboard/`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect((await fetch(`${at.url}/stats.json`, { method: 'POST', body: 'x' })).status).toBe(405)
    expect((await fetch(`${at.url}/elsewhere`)).status).toBe(404)
  })

  it('/dashboard/feed sends the history, then each second', async () => {
    const feed = await RawClient.open(at.url, '/dashboard/feed')
    const read = async () => unpack((await feed.nextFrame()).data) as FeedFrame
    const history = await read()
    expect(history).toMatchObject({ type: 'history' })
    if (history.type === 'history') expect(history.samples.length).toBeGreaterThan(0)
    feed.send('anything')
    const second = await read()
    expect(second).toMatchObject({
      type: 'stats',
      stats: { engine: at.tracker?.engine },
      sample: { viewers: 0 },
    })
    const third = await read()
    if (second.type !== 'stats' || third.type !== 'stats') throw new Error('not statistics')
    const apart = third.sample.at - second.sample.at
    expect(apart).toBeGreaterThan(500)
    expect(apart).toBeLessThan(2000)
    await feed.close()
  })

  it('/dashboard/feed is bounded', async () => {
    const feeds = await Promise.all(
      Array.from({ length: MAX_FEEDS }, () => RawClient.open(at.url, '/dashboard/feed')),
    )
    await expect(RawClient.open(at.url, '/dashboard/feed')).rejects.toThrow('503')
    await Promise.all(feeds.map((feed) => feed.close()))
  })
})

it('without a built dashboard the page says so', async () => {
  const metrics = { contentType: 'text/plain', text: async () => '' }
  const sources = { dashboard: null, metrics, health: () => ({ status: 'ok' }) as const, stats: () => '{}' }
  const page = await createRoutes(sources, SILENT_LOG)('/dashboard/')
  expect(page).toMatchObject({ status: 404, body: expect.stringContaining('not built') })
})

describe('static files', () => {
  it('without an index are none', async () => {
    expect(await loadStaticFiles(join(pages, 'assets'))).toBeNull()
    expect(await loadStaticFiles(join(pages, 'index.html'))).toBeNull()
  })
})
