import type { KeyObject } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { type Door, type DoorPorts, TokenDoor } from '@shoal/core'
import {
  type InfoHash,
  invalidToken,
  type PeerId,
  readToken,
  refuseToken,
  type TokenFault,
  type TokenRefusal,
} from '@shoal/protocol'
import { SeederError } from '../errors.js'
import type { Logger } from '../log.js'
import { readPublicKeys, readSecrets, tokenPort } from './token-keys.js'

/** Files with the keys of join tokens; at least one is given. */
export interface TokenFiles {
  /** Secrets of HS256 tokens, one a line, at least 32 characters each. */
  readonly secretsFile?: string | undefined
  /** Ed25519 public keys of EdDSA tokens, PEM. */
  readonly keysFile?: string | undefined
}

/** Time between two looks at the files, and between two lines of the log about refusals, in milliseconds. */
const LOOK_MS = 5_000
const LOG_MS = 60_000

/** One file of keys, read anew when it has changed. */
class KeyFile {
  keys: readonly KeyObject[]
  private changed: number

  /** @throws Error */
  constructor(
    private readonly path: string,
    private readonly read: (text: string) => KeyObject[],
  ) {
    this.changed = statSync(path).mtimeMs
    this.keys = read(readFileSync(path, 'utf8'))
  }

  /** @throws Error, and the keys stay what they were */
  look(): void {
    const changed = statSync(this.path).mtimeMs
    if (changed === this.changed) return
    this.changed = changed
    this.keys = this.read(readFileSync(this.path, 'utf8'))
  }
}

/** Lets in peers whose join tokens are good (docs/protocol.md, "Join tokens"). */
export class TokenGate {
  private readonly secrets: KeyFile | null
  private readonly publicKeys: KeyFile | null
  private readonly infoHash: InfoHash
  private readonly now: () => number
  private readonly log: Logger
  private lookAt = 0
  private logAt = 0
  /** Refusals that the log has not been told of. */
  private untold = 0

  /**
   * @param now milliseconds since 1970
   * @throws SeederError (`usage`) for a file that cannot be used
   */
  constructor(files: TokenFiles, infoHash: InfoHash, now: () => number, log: Logger) {
    this.secrets = open('--admit-secrets', files.secretsFile, readSecrets)
    this.publicKeys = open('--admit-keys', files.keysFile, readPublicKeys)
    this.infoHash = infoHash
    this.now = now
    this.log = log
  }

  /** Null where the token lets this peer in. */
  admit(token: string, peer: PeerId): TokenFault | null {
    this.look()
    const refusal = this.weigh(token, peer)
    if (refusal !== null) this.tell(refusal)
    return refusal?.code ?? null
  }

  /** For `SwarmPorts`. */
  readonly door = (ports: DoorPorts): Door => new TokenDoor((token, peer) => this.admit(token, peer), ports)

  private weigh(token: string, peerId: PeerId): TokenRefusal | null {
    const claims = readToken(token, tokenPort(this.secrets?.keys ?? [], this.publicKeys?.keys ?? []))
    if (claims === null) return invalidToken('is out of form or signed by nobody known')
    // No page has asked: an origin that the token names is the tracker's to check.
    return refuseToken(claims, { infoHash: this.infoHash, peerId, origin: null }, this.now() / 1000)
  }

  private look(): void {
    const now = this.now()
    if (now < this.lookAt) return
    this.lookAt = now + LOOK_MS
    for (const file of [this.secrets, this.publicKeys]) {
      try {
        file?.look()
      } catch (error) {
        this.log.warn(
          { error: String(error) },
          'the keys of join tokens cannot be read anew: the old ones count',
        )
      }
    }
  }

  /** A stranger can be refused many times a second: the log hears of it now and then. */
  private tell({ code, reason }: TokenRefusal): void {
    this.untold++
    if (this.now() < this.logAt) return
    this.logAt = this.now() + LOG_MS
    this.log.warn({ code, reason, refused: this.untold }, 'a peer was refused for its join token')
    this.untold = 0
  }
}

function open(flag: string, path: string | undefined, read: (text: string) => KeyObject[]): KeyFile | null {
  if (path === undefined) return null
  try {
    return new KeyFile(path, read)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SeederError('usage', `${flag} ${path} cannot be used: ${reason}.`)
  }
}
