import type { Millis } from '@shoal/protocol'
import type { Logger } from '../log.js'
import type { ResourceRef } from '../source/playlist.js'
import {
  type BlockingReload,
  type Origin,
  OriginFailure,
  type PlaylistLoad,
  shownUrl,
  type Validators,
} from './origin.js'
import { RedundantSites, type Site } from './redundant-sites.js'

/**
 * Several origins of the same title behind the one that its URLs name.
 *
 * What one of them does not give is asked of the next at once; who does not answer, or answers with pages,
 * is not asked first again until the others fail too. URLs stay those of the first origin, so that what is
 * held does not depend on where it came from.
 */
export class RedundantOrigin implements Origin {
  private readonly sites = new RedundantSites()
  /** Validators mean something to the site alone that gave them. */
  private readonly validatorsOf = new WeakMap<Validators, string>()

  /**
   * @param patient asked where there is nobody else to ask
   * @param hasty the same with a shorter time for silence, asked where there is
   */
  constructor(
    private readonly patient: Origin,
    private readonly hasty: Origin,
    private readonly log: Logger,
  ) {}

  /** `other` names the same playlist as `first`, with the same files beside it. */
  add(first: string, other: string): void {
    this.sites.add(first, other)
  }

  async loadPlaylist(
    url: string,
    validators: Validators | null,
    signal: AbortSignal,
    blocking: BlockingReload | null = null,
  ): Promise<PlaylistLoad> {
    return await this.attempt(url, signal, true, async (origin, site) => {
      const ours = validators !== null && (this.validatorsOf.get(validators) ?? url) === site.url
      const load = await origin.loadPlaylist(site.url, ours ? validators : null, signal, blocking)
      if (load.kind === 'unchanged') return load
      this.validatorsOf.set(load.validators, site.url)
      return { ...load, url: this.sites.canonical(load.url), site: site.index }
    })
  }

  async loadSegment(source: ResourceRef, signal: AbortSignal): Promise<Uint8Array> {
    return await this.attempt(source.url, signal, false, (origin, { url }) =>
      origin.loadSegment({ ...source, url }, signal),
    )
  }

  pace(targetDuration: Millis): void {
    this.patient.pace?.(targetDuration)
    this.hasty.pace?.(targetDuration)
  }

  mistrust(url: string, reason: string): void {
    const [current, next] = this.sites.of(url)
    if (current !== undefined && next !== undefined)
      this.change(current, next, `${shownUrl(current.url)} ${reason}`)
  }

  private async attempt<T>(
    url: string,
    signal: AbortSignal,
    isPlaylist: boolean,
    load: (origin: Origin, site: Site) => Promise<T>,
  ): Promise<T> {
    const sites = this.sites.of(url)
    let first: { readonly failure: OriginFailure; readonly site: Site } | null = null
    for (const [index, site] of sites.entries()) {
      try {
        const loaded = await load(index === sites.length - 1 ? this.patient : this.hasty, site)
        if (first !== null && (isPlaylist || blames(first.failure)))
          this.change(first.site, site, first.failure.message)
        return loaded
      } catch (error) {
        if (!(error instanceof OriginFailure) || signal.aborted) throw error
        if (error.kind === 'aborted' || error.kind === 'too-large') throw error
        first ??= { failure: error, site }
      }
    }
    throw first?.failure ?? new OriginFailure('unreachable', `${shownUrl(url)}: there is no origin`)
  }

  private change(from: Site, to: Site, error: string): void {
    // Another request may have found out before.
    if (!this.sites.prefer(from, to)) return
    this.log.warn({ from: shownUrl(from.url), to: shownUrl(to.url), error }, 'changed to another origin')
  }
}

/** True where the whole site is at fault: one file that is missing is no reason to leave it. */
function blames(failure: OriginFailure): boolean {
  return failure.originDown || failure.kind === 'not-media'
}
