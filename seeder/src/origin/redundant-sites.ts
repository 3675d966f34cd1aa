/** One of several places where a resource may be had. */
export interface Site {
  readonly group: number
  readonly index: number
  readonly url: string
}

/** Origins with the same files: by folder, and by playlist where their names differ. */
interface Group {
  /** URL of each site, up to where their paths become the same; with a slash at the end. */
  readonly prefixes: string[]
  /** URLs of one playlist at each site. */
  readonly playlists: string[][]
  preferred: number
}

/** Knows which URLs of several origins name the same thing. */
export class RedundantSites {
  private readonly groups: Group[] = []

  add(first: string, other: string): void {
    if (first === other) return
    const [prefix, otherPrefix] = prefixesOf(first, other)
    const known = this.groups.find((group) => group.prefixes[0] === prefix)
    const group = known ?? { prefixes: [prefix], playlists: [], preferred: 0 }
    if (known === undefined) this.groups.push(group)
    let index = group.prefixes.indexOf(otherPrefix)
    if (index === -1) index = group.prefixes.push(otherPrefix) - 1
    let playlists = group.playlists.find(([name]) => name === first)
    if (playlists === undefined) {
      playlists = [first]
      group.playlists.push(playlists)
    }
    playlists[index] = other
  }

  /** Where `url` may be had, the preferred site first; `url` alone where nothing else is known. */
  of(url: string): Site[] {
    const found = this.find(url)
    if (found === null) return [{ group: -1, index: 0, url }]
    const { group, urls } = found
    const at = this.groups.indexOf(group)
    const sites = urls.map((site, index) => ({ group: at, index, url: site }))
    return [...sites.slice(group.preferred), ...sites.slice(0, group.preferred)]
  }

  /** The URL that the first site has for the same thing. */
  canonical(url: string): string {
    return this.find(url)?.urls[0] ?? url
  }

  /** False where `from` was not preferred: somebody else has changed it. */
  prefer(from: Site, to: Site): boolean {
    const group = this.groups[from.group]
    if (group === undefined || group.preferred !== from.index || from.index === to.index) return false
    group.preferred = to.index
    return true
  }

  private find(url: string): { readonly group: Group; readonly urls: string[] } | null {
    let best: { readonly group: Group; readonly prefix: string } | null = null
    for (const group of this.groups) {
      const playlists = group.playlists.find((names) => names.includes(url))
      if (playlists !== undefined) {
        const [first = url] = playlists
        return {
          group,
          urls: group.prefixes.map((prefix, i) => playlists[i] ?? rebased(first, group, prefix)),
        }
      }
      for (const prefix of group.prefixes) {
        if (url.startsWith(prefix) && prefix.length > (best?.prefix.length ?? 0)) best = { group, prefix }
      }
    }
    if (best === null) return null
    const { group, prefix } = best
    return { group, urls: group.prefixes.map((other) => other + url.slice(prefix.length)) }
  }
}

function rebased(url: string, { prefixes: [first = ''] }: Group, prefix: string): string {
  return url.startsWith(first) ? prefix + url.slice(first.length) : url
}

/** Folders of two URLs without the folders at the end of their paths that are the same. */
function prefixesOf(a: string, b: string): [string, string] {
  const [one, two] = [new URL(a), new URL(b)]
  const [onePath, twoPath] = [foldersOf(one), foldersOf(two)]
  while (onePath.length > 0 && twoPath.length > 0 && onePath.at(-1) === twoPath.at(-1)) {
    onePath.pop()
    twoPath.pop()
  }
  const text = ({ protocol, host }: URL, folders: string[]) => `${protocol}//${[host, ...folders].join('/')}/`
  return [text(one, onePath), text(two, twoPath)]
}

function foldersOf({ pathname }: URL): string[] {
  return pathname.split('/').slice(1, -1)
}
