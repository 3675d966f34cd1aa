import { isIP } from 'node:net'
import { DIAL_FRAGMENT_PREFIX, DIAL_SEEDER_PASSWORD, dialDescription, type PeerId } from '@shoal/protocol'

/** A peer that has sent its first connectivity check. */
export interface DirectDial {
  readonly peerId: PeerId
  /** The ICE credentials that it expects of us. */
  readonly ice: { readonly iceUfrag: string; readonly icePwd: string }
  /** The offer that it would have sent, made from what its user fragment says. */
  readonly offer: string
}

/** RFC 8839 section 5.4: letters, digits, + and /; 4 to 256 of a fragment, 22 to 256 of a password. */
const FRAGMENT = new RegExp(`^${DIAL_FRAGMENT_PREFIX}([0-9a-f]{40})(\\d\\d)([A-Za-z0-9+/]{26,190})$`)
const MIN_FRAGMENT = 4
const MIN_PASSWORD = 22

/**
 * What a connectivity check says, or null where it is none of ours.
 *
 * The native library ends the process over credentials that are not of ICE's characters: nothing reaches
 * it that has not passed here.
 *
 * @param localUfrag the fragment that the dialler gave to the seeder
 * @param remoteUfrag the dialler's own
 */
export function readDial(
  localUfrag: string,
  remoteUfrag: string,
  host: string,
  port: number,
): DirectDial | null {
  const [, id = '', digits = '', both = ''] = FRAGMENT.exec(localUfrag) ?? []
  const length = Number(digits)
  const [ufrag, password] = [both.slice(0, length), both.slice(length)]
  if (ufrag !== remoteUfrag || ufrag.length < MIN_FRAGMENT || password.length < MIN_PASSWORD) return null
  if (isIP(host) === 0 || !(port >= 1 && port <= 65_535)) return null
  return {
    peerId: Buffer.from(id, 'hex').toString('latin1') as PeerId,
    ice: { iceUfrag: localUfrag, icePwd: DIAL_SEEDER_PASSWORD },
    offer: dialDescription({
      host,
      port,
      // Not known: who dials is anybody, as who connects through a tracker is.
      fingerprint: Array(32).fill('00').join(':'),
      setup: 'active',
      mid: '0',
      ufrag,
      password,
    }),
  }
}
