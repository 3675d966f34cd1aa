/** What the browser tells of the device; all of it is missing somewhere. */
export interface DeviceHints {
  /** GiB, rounded down to a power of two, 0.25 to 8 (Device Memory API; Chromium only). */
  readonly deviceMemory?: number
  /** Network Information API; Chromium and Android. */
  readonly connection?: ConnectionHints
  /** Battery Status API; Chromium only. */
  getBattery?(): Promise<BatteryHints>
  /** User-Agent Client Hints; Chromium only. */
  readonly userAgentData?: { readonly mobile?: boolean }
  readonly userAgent?: string
  readonly maxTouchPoints?: number
}

type Listening = Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>>

export interface ConnectionHints extends Listening {
  readonly type?: string
  readonly saveData?: boolean
}

export interface BatteryHints extends Listening {
  readonly charging?: boolean
  /** 0 to 1. */
  readonly level?: number
}

/** What is used of a device unless the site says otherwise. */
export interface DeviceDefaults {
  /** Bytes of segments kept in memory. */
  readonly memoryBytes: number
  /** Connections at most. */
  readonly maxPeers: number
  /** Bytes uploaded at most by one Shoal instance. */
  readonly uploadBytesPerSession: number
}

const MEBIBYTE = 1024 * 1024

/**
 * Connections at most. A mesh of 12 neighbours is within 0.1 points of the best offload and more only
 * cost messages; 16 leaves room to replace the worst. On phones each costs radio time and memory.
 */
const MAX_PEERS = 16
const MOBILE_MAX_PEERS = 8

/** 64 MiB is a minute of 8 Mbit/s; mobile browsers kill pages that take much more than a few times that. */
const MOBILE_MAX_MEMORY_BYTES = 64 * MEBIBYTE

/** Half a gigabyte: even a home network's fair-use limit, or a hotspot that looks like Wi-Fi, bears it. */
const MOBILE_UPLOAD_BYTES_PER_SESSION = 500_000_000

/**
 * Memory: 1/32 of the device's, 16 to 256 MiB; 128 MiB where the browser does not tell, which is two
 * minutes of 8 Mbit/s, more than neighbours within one buffer of each other ask for.
 */
export function defaultsFor(device: DeviceHints): DeviceDefaults {
  const { deviceMemory } = device
  const share = deviceMemory === undefined ? 128 : Math.min(256, Math.max(16, deviceMemory * 32))
  const memoryBytes = share * MEBIBYTE
  if (!isMobile(device)) {
    return { memoryBytes, maxPeers: MAX_PEERS, uploadBytesPerSession: Number.POSITIVE_INFINITY }
  }
  return {
    memoryBytes: Math.min(memoryBytes, MOBILE_MAX_MEMORY_BYTES),
    maxPeers: MOBILE_MAX_PEERS,
    uploadBytesPerSession: MOBILE_UPLOAD_BYTES_PER_SESSION,
  }
}

/** A phone or tablet, as far as the browser says; iPads call themselves Macs, but have touch screens. */
function isMobile({ userAgentData, userAgent = '', maxTouchPoints = 0 }: DeviceHints): boolean {
  if (userAgentData?.mobile === true) return true
  return (
    /Android|iPhone|iPad|iPod|Mobile/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1)
  )
}
