/** Counted since the start. */
export interface Counters {
  originRequests: number
  originFailures: number
  /** Of segments, parts and initialisation sections. */
  originBytes: number
  httpRequests: number
  /** On the wire, headers included. */
  httpBytes: number
}

export function newCounters(): Counters {
  return { originRequests: 0, originFailures: 0, originBytes: 0, httpRequests: 0, httpBytes: 0 }
}
