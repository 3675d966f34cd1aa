import type { HlsConfig, Loader, LoaderContext } from 'hls.js'

/** Globals that hls.js looks for when it is constructed and parses playlists outside a browser. */
export function installHlsGlobals(): void {
  Object.assign(globalThis, {
    self: globalThis,
    location: { href: 'https://site.example/watch' },
    // No HEVC: so that hls.js filters levels.
    MediaSource: Object.assign(() => {}, { isTypeSupported: (type: string) => !type.includes('hvc1') }),
    SourceBuffer: class {
      appendBuffer(): void {}
      remove(): void {}
    },
  })
}

/** A loader whose loads never end. */
export function silentLoader({ LoadStats }: typeof import('hls.js')): HlsConfig['loader'] {
  return class implements Loader<LoaderContext> {
    stats = new LoadStats()
    context: LoaderContext | null = null
    load(): void {}
    abort(): void {}
    destroy(): void {}
  }
}
