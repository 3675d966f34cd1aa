import type { MediaPlaylist } from '../source/playlist.js'

/** A playlist as it was last loaded. */
export interface ShelvedPlaylist {
  readonly text: string
  readonly contentType: string
  /** Null for a multivariant playlist. */
  readonly media: MediaPlaylist | null
}

/** Requests that wait for a playlist, at most: each holds a connection. */
const MAX_WAITING = 2_000

/** The newest text of each playlist of a title, by the URL that names it. */
export class PlaylistShelf {
  private readonly playlists = new Map<string, ShelvedPlaylist>()
  private readonly waiting = new Set<() => void>()

  put(url: string, text: string, contentType: string, media: MediaPlaylist | null): void {
    this.playlists.set(url, { text, contentType, media })
    for (const tell of [...this.waiting]) tell()
  }

  get(url: string): ShelvedPlaylist | undefined {
    return this.playlists.get(url)
  }

  /** True at the next change of any playlist, false when the signal says so; at once where too many wait. */
  changed(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.waiting.size >= MAX_WAITING) return Promise.resolve(false)
    return new Promise((resolve) => {
      const done = () => {
        this.waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve(!signal.aborted)
      }
      this.waiting.add(done)
      signal.addEventListener('abort', done)
    })
  }
}
