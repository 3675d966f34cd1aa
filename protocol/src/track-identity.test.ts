import { describe, expect, test } from 'vitest'
import { trackIdentity, type VariantAttributes } from './track-identity.js'

const variant = (attributes: VariantAttributes) => trackIdentity({ kind: 'variant', attributes })

describe('a variant', () => {
  test('has the same identity from raw attribute text and from parsed values', () => {
    const raw = variant({
      BANDWIDTH: '1280000',
      RESOLUTION: '640x360',
      'FRAME-RATE': '25.000',
      CODECS: 'avc1.4d401e,mp4a.40.2',
    })
    const parsed = variant({
      BANDWIDTH: 1280000,
      RESOLUTION: { width: 640, height: 360 },
      'FRAME-RATE': 25,
      CODECS: 'avc1.4d401e,mp4a.40.2',
      'VIDEO-RANGE': undefined,
    })
    expect(raw).toBe('main|1280000|640x360|25|avc1.4d401e,mp4a.40.2|')
    expect(parsed).toBe(raw)
  })

  test('keeps a fractional frame rate', () => {
    expect(variant({ BANDWIDTH: '1', 'FRAME-RATE': '29.970' })).toBe('main|1||29.97||')
    expect(variant({ BANDWIDTH: 1, 'FRAME-RATE': 29.97 })).toBe('main|1||29.97||')
  })

  test('reads text that is no number as the tolerant parsers do', () => {
    expect(variant({ BANDWIDTH: 'fast', RESOLUTION: '640X360' })).toBe('main|0|640x0|||')
  })

  test('is its stable id where it has one', () => {
    expect(variant({ 'STABLE-VARIANT-ID': 'hd', BANDWIDTH: '1' })).toBe('main|stable|hd')
  })
})

test('a rendition is its group, language, name and channels', () => {
  const attributes = { TYPE: 'AUDIO', 'GROUP-ID': 'aac', LANGUAGE: 'fr', NAME: 'Français', CHANNELS: '2' }
  expect(trackIdentity({ kind: 'rendition', attributes })).toBe('audio|aac|fr|Français|2')
  const stable = { ...attributes, 'STABLE-RENDITION-ID': 'a1' }
  expect(trackIdentity({ kind: 'rendition', attributes: stable })).toBe('audio|stable|a1')
})

test('a media playlist alone is the only track', () => {
  expect(trackIdentity({ kind: 'single' })).toBe('main|single')
})
