/** A WebSocket to a tracker, text messages only. No method throws. */
export interface TrackerSocket {
  /** Queues one message; false where the socket is not open or its buffer is at its bound. */
  send(text: string): boolean
  /** Closes. `onClose` follows. */
  close(): void
}

export interface TrackerSocketEvents {
  onOpen(): void
  onMessage(text: string): void
  /** Called once; `reason` is for people. */
  onClose(reason: string): void
}

/** Opens a socket to a `ws://` or `wss://` URL; a URL that cannot be used ends in `onClose`. */
export type OpenTrackerSocket = (url: string, events: TrackerSocketEvents) => TrackerSocket
