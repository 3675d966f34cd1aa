export { type BarePeer, type BarePeerOptions, createBarePeer } from './bare-peer.js'
export type { IceServerOptions } from './ice-servers.js'
export {
  createNodeLinkFactory,
  type NodeLinkFactory,
  type NodeLinkFactoryOptions,
} from './node-link-factory.js'
