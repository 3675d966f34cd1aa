import type {
  OpenTrackerSocket,
  PeerLink,
  PeerLinkEvents,
  PeerLinkFactory,
  Random,
  TrackerSocketEvents,
} from '@shoal/core'
import type { InfoHash } from '@shoal/protocol'
import type { DirectDial } from '../links/index.js'

/** Makes the link to a peer that has dialled. */
export type AcceptDial = (dial: DirectDial, events: PeerLinkEvents) => PeerLink

const OFFER_ID_CHARS = 20

/**
 * Tells the swarm of peers that dial this seeder directly, as if a tracker had brought their offers: the
 * swarm decides whether it has room for them, as for any other.
 *
 * A dial counts while a tracker is connected; who dials repeats its checks for as long as it hopes.
 */
export class DirectSignalling {
  private readonly sockets = new Set<TrackerSocketEvents>()
  /** The dial that is being told, by what the swarm hands to the link that it makes for it. */
  private current: DirectDial | null = null
  private taken = false

  constructor(
    private readonly infoHash: InfoHash,
    private readonly random: Random,
    private readonly accept: AcceptDial,
  ) {}

  /** False where the swarm does not want it now. */
  dial(dial: DirectDial): boolean {
    const [socket] = this.sockets
    if (socket === undefined) return false
    const id = Array.from({ length: OFFER_ID_CHARS }, () =>
      String.fromCharCode(97 + Math.floor(this.random() * 26)),
    )
    this.current = dial
    this.taken = false
    socket.onMessage(
      JSON.stringify({
        action: 'announce',
        info_hash: this.infoHash,
        peer_id: dial.peerId,
        offer_id: id.join(''),
        offer: { type: 'offer', sdp: dial.offer },
      }),
    )
    this.current = null
    return this.taken
  }

  /** The same sockets, whose messages ours are put among. */
  watch(open: OpenTrackerSocket): OpenTrackerSocket {
    return (url, events) =>
      open(url, {
        onOpen: () => {
          events.onOpen()
          this.sockets.add(events)
        },
        onMessage: (text) => events.onMessage(text),
        onClose: (reason) => {
          this.sockets.delete(events)
          events.onClose(reason)
        },
      })
  }

  /** The same links, but for those to peers that have dialled. */
  links(factory: PeerLinkFactory): PeerLinkFactory {
    return {
      create: (role, events) => {
        const dial = this.current
        if (dial === null || role === 'offerer') return factory.create(role, events)
        this.taken = true
        this.current = null
        return this.accept(dial, events)
      },
    }
  }
}
