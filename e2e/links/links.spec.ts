import { fileURLToPath } from 'node:url'
import { type Browser, expect, test } from '@playwright/test'
import { type LinkHarness, LocalPeer, linkConformance } from '@shoal/core/testing'
import { createNodeLinkFactory, type NodeLinkFactory } from '../../seeder/dist/links/index.js'
import { bundleForPage, CHROMIUM_ARGS, chromiumPath } from '../dist/browser/index.js'
import { LinkPage } from './remote-peer.js'

test.use({ launchOptions: { executablePath: chromiumPath(), args: [...CHROMIUM_ARGS] } })

type Kind = 'browser' | 'node'

/** Pages of the file's two sides; made anew by whichever worker runs it. */
const pages: LinkPage[] = []
const factories: NodeLinkFactory[] = []

async function openPage(browser: Browser, script: string): Promise<LinkPage> {
  const page = await browser.newPage()
  page.on('pageerror', (error) => {
    throw error
  })
  return LinkPage.open(page, script)
}

function pageOf(index: number): LinkPage {
  const page = pages[index]
  if (page === undefined) throw new Error('the pages are not open yet')
  return page
}

function harnessOf(a: Kind, b: Kind): LinkHarness {
  return {
    async create(side, options) {
      if ((side === 'a' ? a : b) === 'browser') return pageOf(side === 'a' ? 0 : 1).create(options)
      const { openTimeoutMs } = options
      return new LocalPeer((onError) => {
        const factory = createNodeLinkFactory({ onError, ...(openTimeoutMs && { openTimeoutMs }) })
        factories.push(factory)
        return factory
      }, options)
    },
    createRaw: (role) => pageOf(0).createRaw(role),
    async until(condition, limitMs) {
      const end = performance.now() + limitMs
      for (;;) {
        if (condition()) return true
        if (performance.now() >= end) return false
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    },
    async liveLinks() {
      const inPages = await Promise.all(pages.map((page) => page.liveConnections()))
      return [...inPages, ...factories.map(({ liveLinks }) => liveLinks)].reduce(
        (sum, count) => sum + count,
        0,
      )
    },
  }
}

test.beforeAll(async ({ browser }) => {
  const script = await bundleForPage({
    entry: fileURLToPath(new URL('./page-links.ts', import.meta.url)),
    name: 'shoalPageLinks',
    minify: false,
  })
  for (let index = 0; index < 2; index++) pages.push(await openPage(browser, script))
})

test.afterAll(() => Promise.all(factories.map((factory) => factory.shutdown())))

test('the browser has WebRTC', async () => {
  expect(await pageOf(0).page.evaluate(() => window.links.isSupported())).toBe(true)
})

for (const [a, b] of [
  ['browser', 'browser'],
  ['browser', 'node'],
  ['node', 'browser'],
] as const) {
  test.describe(`${a} to ${b}`, () => {
    for (const { name, run } of linkConformance(harnessOf(a, b))) test(name, run)
  })
}
