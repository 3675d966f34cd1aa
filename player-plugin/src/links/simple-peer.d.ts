/**
 * What the adapter uses of simple-peer 9.11.1. `@types/simple-peer` brings Node's global types along,
 * which browser code must not see, and leaves out the two members that begin with an underscore.
 */
declare module 'simple-peer' {
  interface Options {
    readonly initiator: boolean
    readonly trickle: boolean
    readonly config: RTCConfiguration
    readonly channelName: string
    readonly channelConfig: RTCDataChannelInit
  }

  type SignalData =
    | { readonly type: 'offer' | 'answer'; readonly sdp: string }
    | { readonly type: 'candidate'; readonly candidate: RTCIceCandidateInit }

  interface SimplePeer {
    /** The connection, from construction to destruction. */
    readonly _pc: RTCPeerConnection | null | undefined
    /** The channel of `channelConfig`; with `negotiated` it is there from construction on. */
    readonly _channel: RTCDataChannel | null | undefined
    on(event: 'signal', listener: (data: { readonly type?: string }) => void): this
    on(event: 'error', listener: (error: Error & { readonly code?: unknown }) => void): this
    on(event: 'close', listener: () => void): this
    signal(data: SignalData): void
    destroy(): void
  }

  const SimplePeer: {
    new (options: Options): SimplePeer
    readonly WEBRTC_SUPPORT: boolean
  }
  export default SimplePeer
}
