export { bundleForPage } from './bundle.js'
export { CHROMIUM_ARGS, chromiumPath } from './chromium.js'
export { HLS_JS, type PageServer, PLUGIN, startPageServer, WATCH_JS } from './page-server.js'
export { type Program, startProgram } from './program.js'
