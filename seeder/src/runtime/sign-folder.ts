import type { Clock, Random } from '@shoal/core'
import { swarmIdOf } from '@shoal/protocol'
import { SeederError } from '../errors.js'
import type { Logger } from '../log.js'
import { sha256 } from '../signing/pieces.js'
import { SidecarWriter } from '../signing/sidecar-writer.js'
import { signerFromFile } from '../signing/signer.js'
import type { SegmentRef } from '../source/playlist.js'
import { partResourceOf, resourceOf } from '../source/resource.js'
import { Follower } from './follower.js'
import { loadEntry, playlistRefs, resolveSource } from './source.js'

export interface SignOptions {
  /** A folder with a playlist, or the playlist in it. */
  readonly folder: string
  readonly contentId: string
  readonly keyFile: string
}

export interface SignResult {
  readonly publicKey: string
  readonly signed: number
  readonly failed: number
}

/** A folder that is being signed. */
export interface SigningRun {
  /** Resolves when all has been signed; live, when the stream has ended or after `stop`. */
  readonly done: Promise<SignResult>
  stop(): void
}

/**
 * Signs the segments of a folder and writes the manifests beside them (docs/protocol.md, "Sidecar"): all
 * of a title on demand, and live, parts too, what a packager adds for as long as it does.
 *
 * @throws SeederError where it cannot begin
 */
export async function signFolder(
  { folder, contentId, keyFile }: SignOptions,
  { clock, random, log }: { readonly clock: Clock; readonly random: Random; readonly log: Logger },
): Promise<SigningRun> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(folder)) {
    throw new SeederError('usage', `${folder} is not a folder: sign where the packager writes.`)
  }
  const signer = signerFromFile(keyFile)
  const source = await resolveSource(folder, [], contentId, clock, log)
  const entry = await loadEntry(source)
  const { bytes: swarmId } = await swarmIdOf(contentId, sha256)
  const writer = new SidecarWriter({ origin: source.origin, signer, swarmId, log })
  const { playlist, load } = entry
  const variables = playlist.kind === 'multivariant' ? playlist.variables : new Map()
  const parts = { clock, random, log, origin: source.origin, variables }
  const followers = playlistRefs(source, entry).map((ref) => {
    const follower: Follower = new Follower(ref, parts, {
      onText: () => undefined,
      onAdded: (_playlist, change) => {
        if (change.kind !== 'stale') writer.add(change.added.map(resource))
      },
      onGone: (change) => {
        if (change.kind !== 'stale') writer.remove(change.left.map(resource))
      },
      onParts: (_playlist, added) => writer.add(added.map((part) => partResourceOf(follower.tracks, part))),
      onPartsGone: (left) => writer.remove(left.map((part) => partResourceOf(follower.tracks, part))),
    })
    const resource = (segment: SegmentRef) => resourceOf(follower.tracks, segment, follower.everLive)
    return follower
  })
  const runs = followers.map((follower) => follower.run(playlist.kind === 'media' ? load : null))
  const done = Promise.all(runs).then(async () => {
    await writer.idle()
    const { signed, failed } = writer
    return { publicKey: signer.publicKey, signed, failed }
  })
  return {
    done,
    stop: () => {
      for (const follower of followers) follower.close()
    },
  }
}
