import type { HlsConfig } from 'hls.js'

/**
 * Seconds of media that hls.js buffers ahead while peers may help.
 *
 * hls.js's defaults (30 s, and up to 600 s of a low bitrate) fetch everything at once from wherever
 * it is to be had first, which is the origin. 20 s leave peers time to deliver and still outlast any
 * pause of the network that 30 s would commonly outlast. Not applied to what the site set itself.
 */
const BUFFER_GOAL_SECONDS = 20

const KEYS = ['maxBufferLength', 'maxMaxBufferLength'] as const

type BufferConfig = Pick<HlsConfig, (typeof KEYS)[number]>

/**
 * Lowers hls.js's buffer goal.
 *
 * @param userConfig what the site gave to `new Hls()`
 * @returns puts the previous values back where nobody else has changed them since
 */
export function lowerBufferGoal(config: BufferConfig, userConfig: Partial<BufferConfig> | null): () => void {
  const undo: Array<() => void> = []
  for (const key of KEYS) {
    const before = config[key]
    if (userConfig?.[key] !== undefined || before <= BUFFER_GOAL_SECONDS) continue
    config[key] = BUFFER_GOAL_SECONDS
    undo.push(() => {
      if (config[key] === BUFFER_GOAL_SECONDS) config[key] = before
    })
  }
  return () => {
    for (const restore of undo) restore()
  }
}
