import type { ErrorDetails, Events } from 'hls.js'

/**
 * hls.js's event names, by value: its enums exist at run time only in the copy of hls.js that the
 * page brings, which may be any build of it.
 */
export const MANIFEST_LOADING = 'hlsManifestLoading' as Events.MANIFEST_LOADING
export const MANIFEST_LOADED = 'hlsManifestLoaded' as Events.MANIFEST_LOADED
export const MEDIA_ATTACHED = 'hlsMediaAttached' as Events.MEDIA_ATTACHED
export const MEDIA_DETACHING = 'hlsMediaDetaching' as Events.MEDIA_DETACHING
export const DESTROYING = 'hlsDestroying' as Events.DESTROYING
export const LEVEL_UPDATED = 'hlsLevelUpdated' as Events.LEVEL_UPDATED
export const AUDIO_TRACK_UPDATED = 'hlsAudioTrackUpdated' as Events.AUDIO_TRACK_UPDATED
export const ERROR = 'hlsError' as Events.ERROR
export const FRAG_PARSING_ERROR = 'fragParsingError' as ErrorDetails.FRAG_PARSING_ERROR
export const FRAG_DECRYPT_ERROR = 'fragDecryptError' as ErrorDetails.FRAG_DECRYPT_ERROR
export const BUFFER_STALLED_ERROR = 'bufferStalledError' as ErrorDetails.BUFFER_STALLED_ERROR
