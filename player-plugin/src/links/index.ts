export { createBrowserLinkFactory } from './browser-link-factory.js'
export { isWebRtcSupported } from './simple-peer-connection.js'
