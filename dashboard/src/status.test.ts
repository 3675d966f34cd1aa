import { describe, expect, it } from 'vitest'
import { STALE_MS, statusOf } from './status.js'

const NOW = 1_000_000
const plain = (text: string): string => text.replaceAll('\u00a0', ' ')

describe('statusOf', () => {
  it('says little while all is well', () => {
    const status = statusOf({ type: 'live' }, NOW - 900, null, NOW)
    expect(status).toEqual({ tone: 'live', headline: 'Live', detail: '', stale: false })
  })

  it('notices a tracker that falls behind before the connection is given up', () => {
    const status = statusOf({ type: 'live' }, NOW - STALE_MS - 1, null, NOW)
    expect(status).toMatchObject({ tone: 'wait', stale: true })
    expect(plain(status.detail)).toBe('last update 3 s ago')
  })

  it('says how old the numbers are and when it tries again', () => {
    const status = statusOf(
      { type: 'waiting', retryAt: NOW + 3200, problem: 'closed' },
      NOW - 12_000,
      'closed',
      NOW,
    )
    expect(status).toMatchObject({ tone: 'away', headline: 'Tracker away', stale: true })
    expect(plain(status.detail)).toBe('last update 12 s ago · next try in 4 s')
  })

  it('keeps its headline while it tries', () => {
    const status = statusOf({ type: 'connecting' }, NOW - 12_000, 'silent', NOW)
    expect(status.headline).toBe('Tracker silent')
    expect(plain(status.detail)).toBe('last update 12 s ago · trying now')
  })

  it('does not call a page old that has never had numbers', () => {
    expect(statusOf({ type: 'connecting' }, null, null, NOW)).toEqual({
      tone: 'wait',
      headline: 'Connecting',
      detail: '',
      stale: false,
    })
    const away = statusOf({ type: 'waiting', retryAt: NOW, problem: 'closed' }, null, 'closed', NOW)
    expect(plain(away.detail)).toBe('next try in 0 s')
  })

  it('does not trust a clock that was set back', () => {
    expect(statusOf({ type: 'live' }, NOW + 60_000, null, NOW).stale).toBe(false)
  })
})
