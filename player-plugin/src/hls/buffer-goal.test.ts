import { expect, test } from 'vitest'
import { lowerBufferGoal } from './buffer-goal.js'

test('lowers the defaults and puts them back', () => {
  const config = { maxBufferLength: 30, maxMaxBufferLength: 600 }
  const restore = lowerBufferGoal(config, {})
  expect(config).toEqual({ maxBufferLength: 20, maxMaxBufferLength: 20 })
  restore()
  expect(config).toEqual({ maxBufferLength: 30, maxMaxBufferLength: 600 })
})

test('leaves what the site set', () => {
  const config = { maxBufferLength: 60, maxMaxBufferLength: 600 }
  lowerBufferGoal(config, { maxBufferLength: 60 })
  expect(config).toEqual({ maxBufferLength: 60, maxMaxBufferLength: 20 })
})

test('does not undo a later change', () => {
  const config = { maxBufferLength: 30, maxMaxBufferLength: 600 }
  const restore = lowerBufferGoal(config, null)
  config.maxMaxBufferLength = 10
  restore()
  expect(config).toEqual({ maxBufferLength: 30, maxMaxBufferLength: 10 })
})
