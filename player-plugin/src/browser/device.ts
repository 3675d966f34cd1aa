/** What the browser tells of the device; all of it is missing somewhere. */
export interface DeviceHints {
  /** GiB, rounded down to a power of two, 0.25 to 8 (Device Memory API; Chromium only). */
  readonly deviceMemory?: number
  /** Network Information API; Chromium and Android. */
  readonly connection?: ConnectionHints
}

export interface ConnectionHints
  extends Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>> {
  readonly type?: string
  readonly saveData?: boolean
}

const MEBIBYTE = 1024 * 1024

/**
 * Bytes of segments kept in memory: 1/32 of the device's. 128 MiB is two minutes of 8 Mbit/s, more
 * than neighbours within one buffer of each other ask for; low-end phones must not lose the page.
 */
export function defaultMemoryBytes({ deviceMemory }: DeviceHints): number {
  if (deviceMemory === undefined) return 128 * MEBIBYTE
  return Math.min(256, Math.max(16, deviceMemory * 32)) * MEBIBYTE
}

/** False where the viewer's data is metered or to be saved, as far as the browser says. */
export function isUnmetered({ connection }: DeviceHints): boolean {
  return connection?.saveData !== true && connection?.type !== 'cellular'
}
