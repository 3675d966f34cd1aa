/** A playlist as it was last loaded. */
export interface ShelvedPlaylist {
  readonly text: string
  readonly contentType: string
}

/** The newest text of each playlist of a title, by the URL that names it. */
export class PlaylistShelf {
  private readonly playlists = new Map<string, ShelvedPlaylist>()

  put(url: string, text: string, contentType: string): void {
    this.playlists.set(url, { text, contentType })
  }

  get(url: string): ShelvedPlaylist | undefined {
    return this.playlists.get(url)
  }
}
