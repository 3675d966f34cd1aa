import { type BySource, sumOf } from './offload.js'

/** A number and its unit apart, so that a view can set the unit smaller. The unit may be empty. */
export interface Quantity {
  readonly number: string
  readonly unit: string
}

/** Shown where there is nothing to say yet. */
export const NOTHING: Quantity = { number: '–', unit: '' }

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'] as const
const NO_BREAK_SPACE = '\u00a0'

/** Amount of data, in bytes, with decimal prefixes as traffic is billed: `1.24 TB`. */
export function bytesQuantity(bytes: number): Quantity {
  return scaled(bytes, 'B')
}

/** Rate, given in bytes per second and shown in bits per second as links are sold: `412 Mbit/s`. */
export function rateQuantity(bytesPerSecond: number): Quantity {
  return scaled(bytesPerSecond * 8, 'bit/s')
}

/** A number of things: in full below a million, where every one may matter. */
export function countQuantity(count: number): Quantity {
  if (count < 1_000_000) return { number: grouped(count), unit: '' }
  return scaled(count, '')
}

/**
 * A share of 0..1 in percent with one decimal. Only exactly nothing and exactly everything say so: an
 * operator hunts the last 0.04 %.
 */
export function shareQuantity(share: number | null): Quantity {
  if (share === null) return NOTHING
  if (share <= 0) return { number: '0', unit: '%' }
  if (share >= 1) return { number: '100', unit: '%' }
  const tenths = Math.min(999, Math.max(1, Math.round(share * 1000)))
  return { number: (tenths / 10).toFixed(1), unit: '%' }
}

/** One string, the unit kept on the number's line. */
export function textOf(quantity: Quantity): string {
  return quantity.unit === '' ? quantity.number : quantity.number + NO_BREAK_SPACE + quantity.unit
}

/** `1 viewer`, `2,879 viewers`. */
export function viewersText(viewers: number): string {
  return `${textOf(countQuantity(viewers))} ${viewers === 1 ? 'viewer' : 'viewers'}`
}

/** A tick of an axis: round by choice, so that its trailing zeros say nothing. */
export function tickText(quantity: Quantity): string {
  return textOf({ ...quantity, number: quantity.number.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '') })
}

/** A span of time in its two largest units: `4 min 12 s`, `3 h 04 min`, `12 d 4 h`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const minutes = Math.floor(whole / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  if (days > 0) return joined([days, 'd'], [hours % 24, 'h'])
  if (hours > 0) return joined([hours, 'h'], [minutes % 60, 'min'])
  if (minutes > 0) return joined([minutes, 'min'], [whole % 60, 's'])
  return joined([whole, 's'])
}

/** Time of day at the reader's place, `14:05` or `14:05:09`. `at` is in milliseconds since 1970. */
export function clockText(at: number, withSeconds: boolean): string {
  const time = new Date(at)
  const parts = [time.getHours(), time.getMinutes()]
  if (withSeconds) parts.push(time.getSeconds())
  return parts.map((part) => String(part).padStart(2, '0')).join(':')
}

/** What a bar of three sources says in words. */
export function sourcesText(bytes: BySource): string {
  if (sumOf(bytes) === 0) return 'no bytes yet'
  const part = (label: string, amount: number): string => `${label} ${textOf(bytesQuantity(amount))}`
  return [part('peers', bytes.peers), part('seeders', bytes.seeders), part('HTTP', bytes.http)].join(', ')
}

/** The beginning of an info hash: enough to tell swarms apart by eye. */
export function shortHash(infoHash: string): string {
  return infoHash.slice(0, 8)
}

/**
 * A name that a stranger chose, made safe to read: no control characters, and no direction marks,
 * with which one name could pass for another.
 */
export function readableName(name: string | null): string | null {
  const clean = (name ?? '')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return clean === '' ? null : clean
}

/** Three significant digits: a column of these keeps its width within a digit. */
function scaled(value: number, unit: string): Quantity {
  let amount = value
  let step = 0
  // 999.5 would round to 1000, which is the next prefix's 1.00.
  while (amount >= 999.5 && step < PREFIXES.length - 1) {
    amount /= 1000
    step += 1
  }
  const prefix = PREFIXES[step] ?? ''
  return { number: step === 0 ? String(Math.round(amount)) : threeDigits(amount), unit: prefix + unit }
}

function threeDigits(amount: number): string {
  if (amount >= 99.95) return grouped(Math.round(amount))
  return amount >= 9.995 ? amount.toFixed(1) : amount.toFixed(2)
}

function grouped(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 0 })
}

function joined(...parts: readonly (readonly [amount: number, unit: string])[]): string {
  return parts
    .map(([amount, unit], index) => {
      const digits = index > 0 && unit !== 'h' ? String(amount).padStart(2, '0') : String(amount)
      return digits + NO_BREAK_SPACE + unit
    })
    .join(' ')
}
