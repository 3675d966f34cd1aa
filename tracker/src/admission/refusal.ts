/**
 * Why the tracker refuses a message or a socket: the `code` of a failure message and a label of
 * `/metrics`. Stable: clients and dashboards rely on them.
 */
export const REFUSAL_CODES = [
  /** The message is out of form. */
  'bad-message',
  /** A bound of the tracker itself: swarms, peers of a swarm, swarms of a socket, sockets. */
  'full',
  /** A peer of another network is there under this peer id, and was heard a moment ago. */
  'peer-id-in-use',
  /** The address sends or connects too much. */
  'rate-limited',
  /** The page's origin is not on the list. */
  'origin-not-allowed',
  /** The swarm is on the deny list, or not on the allow list. */
  'swarm-not-allowed',
  'token-required',
  /** The token's form or signature is wrong, or it is for another swarm, origin or peer. */
  'token-invalid',
  'token-expired',
  /** Peers of several networks reported that this one passes on wrong data. */
  'banned',
  /** The tracker stops; another one, or this one a little later, takes over. */
  'draining',
] as const

export type RefusalCode = (typeof REFUSAL_CODES)[number]

export interface Refusal {
  readonly code: RefusalCode
  /** For the client's log. */
  readonly reason: string
}
