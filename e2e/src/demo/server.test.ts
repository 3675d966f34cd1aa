import { request } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type DemoServer, startDemo } from './server.js'

const config = { tracker: 'ws://t', vod: 'http://o/vod', live: 'http://o/live', dashboard: 'http://t/d' }
let demo: DemoServer

beforeAll(async () => {
  demo = await startDemo({ config })
})
afterAll(() => demo.close())

/** `fetch` tidies paths up before it sends them: this does not. */
function rawStatus(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(demo.url, { path }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

it('serves the page, hls.js and the configuration', async () => {
  const page = await fetch(demo.url)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(await page.text()).toContain('<video')
  const player = await fetch(`${demo.url}vendor/hls.min.js`)
  expect(player.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect((await player.text()).length).toBeGreaterThan(100_000)
  expect(await (await fetch(`${demo.url}config.json`)).json()).toEqual(config)
})

it.each([
  '/none.js',
  '/../server.ts',
  '/%2e%2e/package.json',
  '/vendor/../../package.json',
  '/vendor/..',
  '/..',
  '/vendor/',
  '//',
])('has nothing at %s', async (path) => {
  expect(await rawStatus(path)).toBe(404)
})
