import { join } from 'node:path'
import type { Swarm, SwarmOptions } from '@shoal/core'
import {
  type DialAddress,
  dialAddressText,
  hexOf,
  makePeerId,
  millis,
  type SwarmId,
  swarmIdOf,
} from '@shoal/protocol'
import { TokenGate } from '../admission/token-gate.js'
import { Library } from '../holdings/library.js'
import { PlaylistShelf } from '../holdings/playlist-shelf.js'
import { sleep } from '../host/sleep.js'
import { announcedUrl } from '../http/announced-url.js'
import { serve } from '../http/serve.js'
import { silentLogger } from '../log.js'
import type { Origin } from '../origin/origin.js'
import { sha256 } from '../signing/pieces.js'
import { ephemeralSigner, signerFromFile, trusting } from '../signing/signer.js'
import { ownVoucher, SidecarVoucher, type Voucher } from '../signing/voucher.js'
import { DiskStore } from '../store/disk-store.js'
import { FolderStore } from '../store/folder-store.js'
import { MemoryStore } from '../store/memory-store.js'
import type { OnEvict, SegmentStore } from '../store/segment-store.js'
import { SpillStore } from '../store/spill-store.js'
import { Acquirer } from './acquirer.js'
import { newCounters } from './counters.js'
import type { SeederHost } from './host.js'
import {
  DEFAULT_CACHE_BYTES,
  DEFAULT_HTTP_HOST,
  DEFAULT_MAX_LINKS,
  DEFAULT_MEMORY_BYTES,
  type SeederOptions,
} from './options.js'
import { OriginHealth, watchedOrigin } from './origin-health.js'
import { type SeederSnapshot, snapshotOf } from './snapshot.js'
import { loadEntry, playlistRefs, resolveSource, type Source } from './source.js'
import { Title } from './title.js'
import { tokenFromFile } from './token-file.js'
import { watchTracker } from './tracker-watch.js'
import { checkOptions } from './usage.js'

/** A seeder at work. */
export interface RunningSeeder {
  /** Of its HTTP server, without a slash at the end; null where it serves none. */
  readonly url: string | null
  /** 40 hexadecimal digits. */
  readonly infoHash: string
  /** The raw public key that it signs with, base64url: what viewers are configured with. */
  readonly publicKey: string
  readonly contentId: string
  /** Where viewers dial it without signalling; null where they do not. */
  readonly direct: DialAddress | null
  /** The same as text, for the option `network.seeders` of players. */
  readonly dial: string | null
  snapshot(): SeederSnapshot
  /** Goodbye to peers, `stopped` to the tracker, everything released. Idempotent. */
  close(): Promise<void>
}

/** Bytes of the swarm's own memory: it reads pieces from the store and needs to keep none. */
const SWARM_MEMORY_BYTES = 64 * 1024 * 1024

/** Time for goodbyes to leave before everything is released, in milliseconds. */
const GOODBYE_MS = millis(250)

/**
 * Starts a seeder: resolves once the source's playlist has been read and the swarm joined; segments
 * follow.
 *
 * @throws SeederError where it cannot start
 */
export async function startSeederOn(host: SeederHost, options: SeederOptions): Promise<RunningSeeder> {
  checkOptions(options)
  const { clock, random } = host
  const log = options.log ?? silentLogger
  const token = options.tokenFile === undefined ? options.token : await tokenFromFile(options.tokenFile, log)
  const source = await resolveSource(options.source, options.origins ?? [], options.contentId, clock, log)
  const entry = await loadEntry(source)
  const refs = playlistRefs(source, entry)
  if (entry.playlist.kind === 'multivariant' && entry.playlist.leftOut > 0) {
    log.warn(
      { followed: refs.length, leftOut: entry.playlist.leftOut },
      'too many playlists: the last are left out',
    )
  }
  if (source.kind === 'url') {
    for (const { url, backups } of refs) for (const backup of backups) source.origin.add(url, backup)
  }
  const swarmId = await swarmIdOf(source.contentId, sha256)

  const counters = newCounters()
  const library = new Library()
  const shelf = new PlaylistShelf()
  let title: Title | null = null
  const health = new OriginHealth(log, () => title?.resume())
  const origin = watchedOrigin(source.origin, health, counters)
  const voucher = voucherOf(options, origin, swarmId)
  const store = openStore(source, swarmId, options, host, (key) => title?.evicted(key))
  const http =
    options.http === undefined
      ? null
      : await serve({
          port: options.http.port,
          host: options.http.host ?? DEFAULT_HTTP_HOST,
          log,
          library,
          shelf,
          bases: [...new Set([source.playlistUrl, entry.load.url])],
          snapshot: () => snapshot(),
          counters,
          demand: async (url, span) => await title?.demand(url, span),
        })
  const announced = announcedUrl(options.http, http?.url ?? null, source.playlistUrl)
  const swarm = joinSwarm(host, options, swarmId, voucher, library, { http: announced, token })
  const acquirer = new Acquirer({ origin, store, library, swarm, voucher, log })
  const parts = { clock, random, log, origin, health, store, library, shelf, swarm, acquirer }
  title = new Title({ ...parts, initSections: http !== null }, entry, refs)
  if (entry.playlist.kind === 'multivariant') {
    shelf.put(source.playlistUrl, entry.load.text, entry.load.contentType, null)
  }
  const started = title
  const began = clock.now()
  const infoHash = hexOf(swarmId.infoHash)
  const { contentId } = source
  const [publicKey = ''] = voucher.publicKeys
  const snapshot = (): SeederSnapshot =>
    snapshotOf({
      contentId,
      counters,
      infoHash,
      publicKey,
      title: started,
      library,
      store,
      swarm,
      uptime: millis(clock.now() - began),
    })
  const unwatch = watchTracker(clock, swarm, log, options.trackers)
  started.start()

  let closing: Promise<void> | null = null
  const close = async () => {
    unwatch()
    started.close()
    swarm.close()
    // Its goodbyes are on their way: the caller may end the process next.
    await sleep(clock, GOODBYE_MS, new AbortController().signal)
    await http?.close()
    await store.close()
    host.release()
  }
  return {
    url: http?.url ?? null,
    infoHash,
    publicKey,
    contentId,
    direct: host.direct?.address ?? null,
    dial: host.direct === null ? null : dialAddressText(host.direct.address),
    snapshot,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function joinSwarm(
  host: SeederHost,
  options: SeederOptions,
  swarmId: SwarmId,
  voucher: Voucher,
  library: Library,
  told: { readonly http: string | undefined; readonly token: SwarmOptions['token'] },
): Swarm {
  const { clock, random, createSwarm } = host
  const { http, token } = told
  const { links, openSocket, direct } = host
  const { tokens, log = silentLogger } = options
  const gate = tokens === undefined ? null : new TokenGate(tokens, swarmId.infoHash, Date.now, log)
  let swarm: Swarm | null = null
  direct?.listen((dial) => swarm?.accept(dial.peerId, (events) => direct.accept(dial, events)) ?? false)
  swarm = createSwarm(
    {
      swarmId,
      peerId: direct?.peerId ?? makePeerId('-SH0100-', random),
      role: 'seeder',
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(http === undefined ? {} : { http }),
      ...(token === undefined ? {} : { token }),
      ...(direct === null ? {} : { dial: direct.address }),
      keys: voucher.publicKeys,
      trackers: options.trackers,
      uploads: true,
      maxLinks: options.upload?.maxLinks ?? DEFAULT_MAX_LINKS,
      memoryBytes: SWARM_MEMORY_BYTES,
      uploadBytesPerSecond: options.upload?.bytesPerSecond ?? Number.POSITIVE_INFINITY,
      integrity: 'signed',
    },
    {
      clock,
      random,
      crypto: voucher.crypto,
      links,
      openSocket,
      pieces: library,
      ...(gate === null ? {} : { door: gate.door }),
    },
  )
  return swarm
}

/** @throws SeederError (`bad-key`) */
function voucherOf({ keyFile, signedBy }: SeederOptions, origin: Origin, { bytes }: SwarmId): Voucher {
  if (signedBy !== undefined && signedBy.length > 0) {
    return new SidecarVoucher(signedBy, trusting(signedBy), origin, bytes)
  }
  return ownVoucher(keyFile === undefined ? ephemeralSigner() : signerFromFile(keyFile), bytes)
}

function openStore(
  source: Source,
  swarmId: SwarmId,
  options: SeederOptions,
  { clock }: SeederHost,
  onEvict: OnEvict,
): SegmentStore {
  if (source.kind === 'folder') return new FolderStore(onEvict)
  const { cache, log = silentLogger } = options
  const memory = new MemoryStore(options.memoryBytes ?? DEFAULT_MEMORY_BYTES, onEvict)
  if (cache === undefined) return memory
  const folder = join(cache.folder, hexOf(swarmId.infoHash))
  const disk = new DiskStore(folder, cache.bytes ?? DEFAULT_CACHE_BYTES, onEvict)
  return new SpillStore(disk, memory, clock, log)
}
