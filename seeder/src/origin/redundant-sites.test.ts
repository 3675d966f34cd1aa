import { expect, test } from 'vitest'
import { RedundantSites } from './redundant-sites.js'

const urls = (sites: RedundantSites, url: string) => sites.of(url).map((site) => site.url)

test('the same paths at another host', () => {
  const sites = new RedundantSites()
  sites.add('https://a.test/live/x/master.m3u8?t=1', 'https://b.test/live/x/master.m3u8')
  expect(urls(sites, 'https://a.test/live/x/hi/1.ts?t=2')).toEqual([
    'https://a.test/live/x/hi/1.ts?t=2',
    'https://b.test/live/x/hi/1.ts?t=2',
  ])
  expect(urls(sites, 'https://a.test/live/x/master.m3u8?t=1')[1]).toBe('https://b.test/live/x/master.m3u8')
  expect(urls(sites, 'https://a.test/init.mp4')).toHaveLength(2)
  expect(urls(sites, 'https://c.test/1.ts')).toEqual(['https://c.test/1.ts'])
})

test('other folders and another name', () => {
  const sites = new RedundantSites()
  sites.add('https://a.test/one/x/master.m3u8', 'https://a.test/two/deep/x/index.m3u8')
  expect(urls(sites, 'https://a.test/one/x/hi/1.ts')[1]).toBe('https://a.test/two/deep/x/hi/1.ts')
  expect(sites.canonical('https://a.test/two/deep/x/hi/1.ts')).toBe('https://a.test/one/x/hi/1.ts')
  expect(sites.canonical('https://a.test/two/deep/x/index.m3u8')).toBe('https://a.test/one/x/master.m3u8')
})

test('one inside the other', () => {
  const sites = new RedundantSites()
  sites.add('https://a.test/vod/hi/v.m3u8', 'https://a.test/vod/backup/hi/v.m3u8')
  expect(sites.canonical('https://a.test/vod/backup/hi/1.ts')).toBe('https://a.test/vod/hi/1.ts')
  expect(urls(sites, 'https://a.test/vod/hi/1.ts')[1]).toBe('https://a.test/vod/backup/hi/1.ts')
})

test('three, asked in turn from the preferred one', () => {
  const sites = new RedundantSites()
  for (const host of ['b', 'c']) sites.add('https://a.test/m.m3u8', `https://${host}.test/m.m3u8`)
  const [first, second] = sites.of('https://a.test/1.ts')
  if (first === undefined || second === undefined) throw new Error('no second site')
  expect(sites.prefer(first, second)).toBe(true)
  expect(sites.prefer(first, second)).toBe(false)
  expect(urls(sites, 'https://a.test/1.ts')).toEqual(
    ['b', 'c', 'a'].map((host) => `https://${host}.test/1.ts`),
  )
})
