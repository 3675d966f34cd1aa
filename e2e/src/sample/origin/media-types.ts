import { extname } from 'node:path'

/** What a request is for, as far as its path tells. */
export type RequestKind = 'playlist' | 'segment' | 'init' | 'key' | 'other'

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.ts': 'video/mp2t',
  '.m4s': 'video/iso.segment',
  '.mp4': 'video/mp4',
  '.aac': 'audio/aac',
  '.vtt': 'text/vtt',
}

export function mediaType(path: string): string {
  return MEDIA_TYPES[extname(path)] ?? 'application/octet-stream'
}

export function requestKind(path: string): RequestKind {
  const extension = extname(path)
  if (extension === '.m3u8') return 'playlist'
  if (extension === '.key') return 'key'
  if (/\/init[^/]*\.mp4$/.test(path)) return 'init'
  return MEDIA_TYPES[extension] === undefined ? 'other' : 'segment'
}
