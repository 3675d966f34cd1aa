/** The player that the plugin attaches to. The rest of the package knows it by this name alone. */
export type { default as Hls } from 'hls.js'
