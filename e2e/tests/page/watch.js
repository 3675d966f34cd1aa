// What stalls, for browser tests and benchmarks alike.

/**
 * A stall: the clock has not moved for this long, in ms, and the buffer has run dry (less than
 * DRY_SECONDS ahead), or for STUCK_MS whatever is buffered. A busy machine drops a frame or two
 * with seconds of video in the buffer: that is not what a stall means.
 */
const STANDSTILL_MS = 250
const STUCK_MS = 1000
const DRY_SECONDS = 1
/** Between looks at the video, in ms. */
const LOOK_MS = 50

/** Bound of the list. */
const KEPT_STALLS = 2000

/** Seconds of media in the buffer from the playhead on. */
function bufferedAhead(video) {
  for (let i = 0; i < video.buffered.length; i++) {
    const inside = video.buffered.start(i) <= video.currentTime + 0.1
    if (inside && video.buffered.end(i) > video.currentTime) return video.buffered.end(i) - video.currentTime
  }
  return 0
}

/**
 * Looks at a video for as long as the page lives.
 *
 * @param {HTMLVideoElement} video
 * @param {object} options
 * @param {() => boolean} options.started whether it has shown a picture
 * @param {{ at: number, since: number, ms: number, ahead: number }[]} options.stalls where each standstill
 *   is written: the video's time in s, Unix time in ms, its length, and seconds in the buffer
 * @param {number} options.graceMs after a seek, in which nothing is a stall
 * @param {(moved: number, lateMs: number) => void} [options.look] told at each look how far the clock of the
 *   video ran, in s, and how late the look came
 */
function watchVideo(video, { started, stalls, graceMs, look }) {
  let seekedAt = Number.NEGATIVE_INFINITY
  for (const type of ['seeking', 'seeked']) {
    video.addEventListener(type, () => {
      seekedAt = performance.now()
    })
  }
  let lastTime = -1
  let lastMoved = performance.now()
  let lastLook = performance.now()
  let stall = null
  setInterval(() => {
    const now = performance.now()
    const lateMs = Math.max(0, now - lastLook - LOOK_MS)
    lastLook = now
    const moved = lastTime < 0 ? 0 : video.currentTime - lastTime
    // A jump is not play.
    const played = moved > 0 && moved < 2 * ((LOOK_MS + lateMs) / 1000)
    look?.(played ? moved : 0, lateMs)

    const wanted = started() && !video.paused && !video.seeking && !video.ended
    if (!wanted || video.currentTime !== lastTime || now - seekedAt < graceMs) {
      lastTime = video.currentTime
      lastMoved = now
      stall = null
      return
    }
    const ahead = bufferedAhead(video)
    if (now - lastMoved < (ahead < DRY_SECONDS ? STANDSTILL_MS : STUCK_MS)) return
    if (stall === null) {
      stall = { at: video.currentTime, since: performance.timeOrigin + lastMoved, ms: 0, ahead }
      if (stalls.length < KEPT_STALLS) stalls.push(stall)
    }
    stall.ms = Math.round(now - lastMoved)
  }, LOOK_MS)
}

window.watch = { bufferedAhead, watchVideo }
