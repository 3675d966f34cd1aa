/* global Hls, ShoalPlayer */
// Plays what the address says, from the moment that the page is there, as a site does.

const { src, shoal } = JSON.parse(decodeURIComponent(location.hash.slice(1)))
const video = document.querySelector('video')
const hls = new Hls()
// Null: hls.js alone.
const player = shoal && new ShoalPlayer.Shoal(shoal)
player?.attach(hls)
hls.loadSource(src)
hls.attachMedia(video)
video.addEventListener('playing', () => {
  window.seen.firstFrameMs ??= performance.now()
})
video.play().catch(() => undefined)

window.readSeen = () => ({ ...window.seen, seederBytes: player?.stats.seederBytes ?? null })
