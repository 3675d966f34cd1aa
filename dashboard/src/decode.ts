import {
  DecodeError,
  type FeedFrame,
  type StatsSample,
  type SwarmStats,
  type SwarmTotals,
  type TrackerStats,
} from '@shoal/protocol'
import { Unpackr } from 'msgpackr/unpack-no-eval'

/** Largest frame read, in bytes. A day of samples is about 10 MB; the tracker sends minutes. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024

/** Most samples of a history frame: an hour at one a second, six times what the chart shows. */
export const MAX_HISTORY_SAMPLES = 3600

/** Most swarms of a stats frame: ten times what the tracker lists, so that it may list more one day. */
export const MAX_SWARMS = 500

/** Longest name or version kept, in UTF-16 units. Seeders choose names, so a long one is cut, not refused. */
export const MAX_TEXT_LENGTH = 200

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' })

/**
 * Reads one message of the dashboard's feed.
 *
 * Strict where a wrong value would show a wrong number, lenient towards keys it does not know, so that
 * a newer tracker can feed an older page.
 *
 * @throws DecodeError for anything but a valid frame; nothing else.
 */
export function decodeFrame(bytes: Uint8Array): FeedFrame {
  if (bytes.length === 0) throw new DecodeError('empty', 'feed frame')
  if (bytes.length > MAX_FRAME_BYTES)
    throw new DecodeError('too-large', `feed frame of ${bytes.length} bytes`)
  const frame = recordOf(unpack(bytes), 'frame')
  switch (frame['type']) {
    case 'history':
      return {
        type: 'history',
        samples: listOf(frame['samples'], 'samples', MAX_HISTORY_SAMPLES).map((sample, index) =>
          sampleOf(sample, `samples[${index}]`),
        ),
      }
    case 'stats':
      return {
        type: 'stats',
        stats: trackerStatsOf(frame['stats']),
        sample: sampleOf(frame['sample'], 'sample'),
      }
    default:
      throw new DecodeError('unknown-type', 'frame.type')
  }
}

/** msgpackr reports bad input by several kinds of error, stack overflow among them. */
function unpack(bytes: Uint8Array): unknown {
  try {
    return unpackr.unpack(bytes)
  } catch (cause) {
    throw new DecodeError(
      'bad-value',
      `not MessagePack (${cause instanceof Error ? cause.message : 'unknown'})`,
    )
  }
}

function trackerStatsOf(value: unknown): TrackerStats {
  const stats = recordOf(value, 'stats')
  const top = listOf(stats['top'], 'stats.top', MAX_SWARMS).map((swarm, index) =>
    swarmOf(swarm, `stats.top[${index}]`),
  )
  if (new Set(top.map((swarm) => swarm.infoHash)).size !== top.length) {
    throw new DecodeError('bad-value', 'stats.top lists a swarm twice')
  }
  return {
    version: textOf(stats['version'], 'stats.version'),
    engine: engineOf(stats['engine']),
    uptimeSeconds: amountOf(stats['uptimeSeconds'], 'stats.uptimeSeconds'),
    sockets: countOf(stats['sockets'], 'stats.sockets'),
    totals: totalsOf(recordOf(stats['totals'], 'stats.totals'), 'stats.totals'),
    viewers: countOf(stats['viewers'], 'stats.viewers'),
    seeders: countOf(stats['seeders'], 'stats.seeders'),
    others: countOf(stats['others'], 'stats.others'),
    swarms: countOf(stats['swarms'], 'stats.swarms'),
    top,
  }
}

function swarmOf(value: unknown, path: string): SwarmStats {
  const swarm = recordOf(value, path)
  return {
    ...totalsOf(swarm, path),
    infoHash: infoHashOf(swarm['infoHash'], `${path}.infoHash`),
    name: swarm['name'] === null ? null : textOf(swarm['name'], `${path}.name`),
    viewers: countOf(swarm['viewers'], `${path}.viewers`),
    seeders: countOf(swarm['seeders'], `${path}.seeders`),
    others: countOf(swarm['others'], `${path}.others`),
  }
}

function totalsOf(totals: Readonly<Record<string, unknown>>, path: string): SwarmTotals {
  return {
    httpBytes: amountOf(totals['httpBytes'], `${path}.httpBytes`),
    peerBytes: amountOf(totals['peerBytes'], `${path}.peerBytes`),
    seederBytes: amountOf(totals['seederBytes'], `${path}.seederBytes`),
    uploadedBytes: amountOf(totals['uploadedBytes'], `${path}.uploadedBytes`),
    stalls: countOf(totals['stalls'], `${path}.stalls`),
  }
}

function sampleOf(value: unknown, path: string): StatsSample {
  const sample = recordOf(value, path)
  return {
    at: amountOf(sample['at'], `${path}.at`),
    viewers: countOf(sample['viewers'], `${path}.viewers`),
    seeders: countOf(sample['seeders'], `${path}.seeders`),
    httpRate: amountOf(sample['httpRate'], `${path}.httpRate`),
    peerRate: amountOf(sample['peerRate'], `${path}.peerRate`),
    seederRate: amountOf(sample['seederRate'], `${path}.seederRate`),
  }
}

function recordOf(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw new DecodeError('bad-value', `${path} is not a map`)
  return value
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function listOf(value: unknown, path: string, most: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new DecodeError('bad-value', `${path} is not a list`)
  if (value.length > most) throw new DecodeError('too-large', `${path} has ${value.length} entries`)
  return value
}

/** Zero or more, whole or not: byte sums, rates, times. Past 2^53 a number no longer counts exactly. */
function amountOf(value: unknown, path: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) {
    throw new DecodeError('bad-value', `${path} is not an amount`)
  }
  return value
}

function countOf(value: unknown, path: string): number {
  const amount = amountOf(value, path)
  if (!Number.isInteger(amount)) throw new DecodeError('bad-value', `${path} is not a count`)
  return amount
}

function textOf(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new DecodeError('bad-value', `${path} is not text`)
  return value.slice(0, MAX_TEXT_LENGTH)
}

function infoHashOf(value: unknown, path: string): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{40}$/i.test(value)) {
    throw new DecodeError('bad-value', `${path} is not 40 hexadecimal digits`)
  }
  return value.toLowerCase()
}

function engineOf(value: unknown): TrackerStats['engine'] {
  if (value !== 'uws' && value !== 'ws') throw new DecodeError('bad-value', 'stats.engine')
  return value
}
