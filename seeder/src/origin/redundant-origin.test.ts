import { millis } from '@shoal/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nodeClock } from '../host/node-clock.js'
import { RecordingLog } from '../testing/recording-log.js'
import { TestOrigin } from '../testing/test-origin.js'
import { HttpOrigin, type Patience } from './http-origin.js'
import { RedundantOrigin } from './redundant-origin.js'

const HASTY: Patience = { limit: millis(200), targetDurations: 1, least: millis(200) }

const signal = new AbortController().signal

let first: TestOrigin
let second: TestOrigin
let log: RecordingLog
let origin: RedundantOrigin

beforeEach(async () => {
  first = await TestOrigin.start()
  second = await TestOrigin.start()
  log = new RecordingLog()
  origin = new RedundantOrigin(new HttpOrigin(nodeClock), new HttpOrigin(nodeClock, HASTY), log)
  origin.add(first.url('/a.m3u8'), second.url('/a.m3u8'))
  for (const server of [first, second]) {
    server.put('/a.m3u8', '#EXTM3U')
    server.put('/a.ts', 'media')
  }
})

afterEach(async () => {
  await first.stop()
  await second.stop()
})

const playlist = () => origin.loadPlaylist(first.url('/a.m3u8'), null, signal)
const segment = (path: string) => origin.loadSegment({ url: first.url(path), range: null }, signal)

test('an origin that hangs is left, and not waited for again', async () => {
  first.hangs = /./
  expect(await playlist()).toMatchObject({ url: first.url('/a.m3u8'), site: 1 })
  expect(Buffer.from(await segment('/a.ts')).toString()).toBe('media')
  expect(first.seen).toHaveLength(1)
  expect(log.lines).toEqual(['warn changed to another origin'])
})

test('one file that is missing is had elsewhere, and no reason to change', async () => {
  first.files.delete('/a.ts')
  expect(Buffer.from(await segment('/a.ts')).toString()).toBe('media')
  expect(await playlist()).toMatchObject({ site: 0 })
  expect(log.lines).toEqual([])
})

test('what nobody has is told as the first one says it', async () => {
  second.failWith = 503
  await expect(segment('/none.ts')).rejects.toMatchObject({ status: 404 })
  expect(log.lines).toEqual([])
})

test('validators of one origin are not shown to another', async () => {
  const load = await playlist()
  if (load.kind !== 'loaded') throw new Error('not loaded')
  origin.mistrust(first.url('/a.m3u8'), 'brings nothing new')
  expect(await origin.loadPlaylist(first.url('/a.m3u8'), load.validators, signal)).toMatchObject({ site: 1 })
  expect(second.seen).toMatchObject([{ status: 200 }])
})
