export { ShoalConfigError, type ShoalConfigErrorCode } from './options/config-error.js'
export type {
  DownloadMode,
  Integrity,
  MemoryOptions,
  NetworkOptions,
  ShoalOptions,
  UploadOptions,
} from './options/options.js'
export { Shoal } from './plugin.js'
export type { ShoalDegradation, ShoalEvents, ShoalSegmentStats, ShoalStats, ShoalWarning } from './stats.js'
