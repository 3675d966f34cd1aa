import { expect, test } from 'vitest'
import { announcedUrl, publicUrlFault } from './announced-url.js'

const LISTENING = 'http://192.0.2.7:8080'

test.each([
  ['a public URL', { port: 0, publicUrl: 'https://edge.example' }, 'https://edge.example/main.m3u8'],
  [
    'one behind a path',
    { port: 0, host: '192.0.2.7', publicUrl: 'https://edge.example/title' },
    'https://edge.example/title/main.m3u8',
  ],
  ['an address of its own', { port: 8080, host: '192.0.2.7' }, 'http://192.0.2.7:8080/main.m3u8'],
  ['all addresses', { port: 8080, host: '0.0.0.0' }, undefined],
  ['no address said', { port: 8080 }, undefined],
  ['no server', undefined, undefined],
  ['too long', { port: 0, publicUrl: `https://edge.example/${'x'.repeat(500)}` }, undefined],
])('what viewers are told: %s', (_what, http, expected) => {
  const listening = http === undefined ? null : LISTENING
  expect(announcedUrl(http, listening, 'https://origin.example/live/main.m3u8?token=secret')).toBe(expected)
})

test.each([
  ['https://edge.example/title/', true],
  ['http://192.0.2.7:8080', true],
  ['edge.example', false],
  ['ftp://edge.example', false],
  ['https://user:word@edge.example', false],
  ['https://edge.example/?token=1', false],
  ['http://0.0.0.0:8080', false],
  ['http://[::]:8080', false],
])('the public URL %s', (text, good) => {
  expect(publicUrlFault(text) === null).toBe(good)
})
