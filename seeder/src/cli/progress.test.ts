import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { newCounters } from '../runtime/counters.js'
import type { SeederSnapshot } from '../runtime/snapshot.js'
import { RecordingLog } from '../testing/recording-log.js'
import { logProgress, progressLine, showProgress } from './progress.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

function snapshot(segments: number, pending: number, more: Partial<SeederSnapshot> = {}): SeederSnapshot {
  return {
    contentId: 'id',
    infoHash: '',
    publicKey: '',
    live: false,
    uptimeSeconds: 1,
    tracker: 'connected',
    peers: 2,
    uploadedBytes: 0,
    segments,
    bytes: 1_250_000,
    pending,
    origin: { state: 'up', error: null },
    counters: newCounters(),
    ...more,
  }
}

test('a line says how far it is, and what is amiss', () => {
  expect(progressLine(snapshot(15, 15))).toBe(
    `[${'#'.repeat(15)}${'-'.repeat(15)}]  50 %  15/30 segments, 1.3 MB, 2 peers`,
  )
  const down = progressLine(snapshot(0, 3, { origin: { state: 'down', error: 'refused' } }))
  expect(down).toMatch(/ 0 % {2}0\/3 segments, .*, origin down: refused$/)
})

test('a terminal shows it on one line until all is here', () => {
  let now = snapshot(1, 2)
  let text = ''
  const terminal = { columns: 200, write: (more: string) => (text += more) }
  const { clear } = showProgress(terminal, () => now)
  vi.advanceTimersByTime(1_000)
  clear()
  clear()
  expect(text.split('\r\x1b[K')).toHaveLength(3)
  now = snapshot(3, 0)
  vi.advanceTimersByTime(500)
  expect(text).toMatch(/100 % .*\n$/)
  const { length } = text
  vi.advanceTimersByTime(60_000)
  expect(text).toHaveLength(length)
})

test('a live title shows nothing', () => {
  let text = ''
  showProgress({ write: (more) => (text += more) }, () => snapshot(1, 2, { live: true }))
  vi.advanceTimersByTime(5_000)
  expect(text).toBe('')
})

test('a log gets a line now and then, and one at the end', () => {
  const log = new RecordingLog()
  let now = snapshot(0, 0)
  logProgress(log, () => now)
  vi.advanceTimersByTime(30_000)
  expect(log.lines).toEqual([])
  now = snapshot(1, 2)
  vi.advanceTimersByTime(25_000)
  now = snapshot(3, 0)
  vi.advanceTimersByTime(60_000)
  expect(log.lines.at(-1)).toBe('info mirrored')
  expect(log.count('mirroring')).toBeLessThanOrEqual(3)
  expect(log.count('mirrored')).toBe(1)
})
