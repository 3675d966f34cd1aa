/** Chromium's path: what `npm test` found, or the usual place. */
export function chromiumPath(): string {
  return process.env['SHOAL_CHROMIUM'] ?? '/usr/bin/chromium'
}

/**
 * Headless on a machine without GPU or outside network, several pages at full speed: none of the
 * pages is throttled for being in the background.
 */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
  '--js-flags=--expose-gc',
  '--enable-precise-memory-info',
]
