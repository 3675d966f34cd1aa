export { type BarePeer, type BarePeerOptions, createBarePeer } from './bare-peer.js'
export { type DirectCertificate, ephemeralCertificate, storedCertificate } from './direct/certificate.js'
export type { DirectDial } from './direct/dial.js'
export { DirectListener } from './direct/listener.js'
export { likelyAddress, usableUdpPort } from './direct/udp-port.js'
export type { IceServerOptions } from './ice-servers.js'
export {
  createNodeLinkFactory,
  type NodeLinkFactory,
  type NodeLinkFactoryOptions,
} from './node-link-factory.js'
