import { expect, test } from 'vitest'
import { mediaBytes } from '../testing/test-origin.js'
import { mediaFault, playlistFault } from './sniff.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))

test.each([
  ['a page', bytes('\n <!DOCTYPE html><html>'), 'video/mp2t'],
  ['a page without doctype', bytes('<html lang="en">'), ''],
  ['a playlist', bytes('#EXTM3U\n'), 'video/mp2t'],
  ['an error as XML', bytes('<?xml version="1.0"?><Error/>'), 'application/xml'],
  ['an error as JSON', bytes('{"error":"gone"}'), 'application/json; charset=utf-8'],
])('%s is no media', (_name, content, type) => {
  expect(mediaFault(content, type)).toMatch(/^answered with a page in place of media/)
})

test.each([
  ['a transport stream', bytes('G@\x11\x10'), 'text/html'],
  ['a fragment', bytes('\0\0\0\x18styp'), 'text/html'],
  ['packed audio', bytes('ID3\x04'), 'application/json'],
  ['WebVTT', bytes('WEBVTT\n'), 'text/html'],
  ['something encrypted', mediaBytes(64, 5), 'application/octet-stream'],
  ['subtitles as XML', bytes('<?xml version="1.0"?><tt/>'), 'application/ttml+xml'],
  ['nothing', bytes(''), 'video/mp2t'],
])('%s may be media', (_name, content, type) => {
  expect(mediaFault(content, type)).toBeNull()
})

test('a playlist begins with its tag', () => {
  expect(playlistFault('#EXTM3U\n', 'text/html')).toBeNull()
  expect(playlistFault('<html>', 'text/html')).toMatch(/is not an HLS playlist \(it says text\/html\)/)
})
