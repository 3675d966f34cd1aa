import { describe, expect, it } from 'vitest'
import { feedUrl, trackerUrl } from './socket.js'

describe('addresses', () => {
  it.each([
    ['http://127.0.0.1:8000/dashboard/', 'ws://127.0.0.1:8000/dashboard/feed', 'ws://127.0.0.1:8000/'],
    ['https://tv.example/dashboard/', 'wss://tv.example/dashboard/feed', 'wss://tv.example/'],
    [
      'https://tv.example/p2p/dashboard/index.html?a=1#b',
      'wss://tv.example/p2p/dashboard/feed',
      'wss://tv.example/p2p/',
    ],
  ])('of the page %s', (page, feed, tracker) => {
    expect(feedUrl(page)).toBe(feed)
    expect(trackerUrl(page)).toBe(tracker)
  })
})
