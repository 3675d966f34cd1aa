import type { BenchOptions } from './cli.js'
import { copyAll, decodeAll, encodeAll, hashAll, sink, total, trafficOf } from './core-controls.js'
import { type Cost, type InputKind, kindsOf, replayByKind, replayWhole, verifyReplay } from './core-replay.js'
import { recordViewer } from './core-stage.js'

/** Medians of the rounds. CPU time counts every thread of the process, wall time what else the machine does. */
export interface CoreRow {
  readonly part: string
  readonly cpuMsPerSecond: number
  readonly wallMsPerSecond: number
  readonly cpuMsPerMegabyte: number
}

/**
 * All inputs of a kind. Their share of the engine's CPU time is their share of the time on the wall, since
 * CPU time cannot be read so often.
 */
export interface InputRow {
  readonly kind: InputKind
  readonly perSecond: number
  readonly cpuMicroseconds: number
  readonly cpuMsPerSecond: number
}

export interface CoreResult {
  readonly bench: 'core'
  readonly rounds: number
  readonly neighbours: number
  /** Stream time that was measured, in seconds. */
  readonly seconds: number
  /** 10^6 bytes in that time. */
  readonly megabytesFromPeers: number
  readonly megabytesFromOrigin: number
  readonly megabytesUploaded: number
  readonly controlMessages: number
  /** The engine without its codec: what decides, keeps have-maps and puts pieces together. */
  readonly decisionsMsPerSecond: number
  readonly targetMsPerSecond: number
  /** All that is not Data, its decoding included, by message received: requests, Haves, manifests. */
  readonly microsecondsPerControlMessage: number
  readonly rows: readonly CoreRow[]
  readonly inputs: readonly InputRow[]
}

const NEIGHBOURS = 16
/** 5 % of one core. */
const TARGET_MS_PER_SECOND = 50
const FULL = { rounds: 7, segments: 6 }
const QUICK = { rounds: 5, segments: 2 }
const SEED = 1

/** What one viewer's engine costs, by replaying what happened to it in a swarm. */
export async function run({ quick }: BenchOptions): Promise<CoreResult> {
  const { rounds, segments } = quick ? QUICK : FULL
  console.error(`recording ${segments} segments of a swarm of ${NEIGHBOURS + 1}`)
  const recording = await recordViewer({ neighbours: NEIGHBOURS, segments, seed: SEED })
  verifyReplay(recording)
  const kinds = kindsOf(recording)
  const traffic = trafficOf(recording)
  const copyBuffer = new Uint8Array(4_000_000)
  const costs = new Map<string, Cost[]>()
  const byKind: Map<InputKind, number>[] = []
  const keep = (part: string, cost: Cost) => costs.set(part, [...(costs.get(part) ?? []), cost])
  for (let round = 0; round < rounds; round++) {
    // In turn, so that what else the machine does hits all alike.
    keep('engine', replayWhole(recording))
    keep('decode', decodeAll(traffic))
    keep('encode', encodeAll(traffic))
    keep('sha256', await hashAll(traffic))
    keep('copy (control)', copyAll(traffic, copyBuffer))
    byKind.push(replayByKind(recording, kinds))
  }
  if (sink.value === 0) throw new Error('nothing was measured')

  const seconds = recording.streamMs / 1000
  const fromPeers = total(traffic.payloads) / 1e6
  // What a viewer costs that loads by HTTP is another question.
  if (fromPeers * 1e6 < traffic.httpBytes) throw new Error('most of the stream came from the origin')
  const delivered = fromPeers + traffic.httpBytes / 1e6
  const rows = [...costs].map(([part, samples]) => rowOf(part, samples, seconds, delivered))
  const cpu = (part: string) => median((costs.get(part) ?? []).map((cost) => cost.cpuMs))
  const inputs = inputRows(kinds, byKind, seconds, cpu('engine'))
  const decisions = (cpu('engine') - cpu('decode') - cpu('encode')) / seconds
  const control = inputs.filter(({ kind }) => traffic.controlTypes.has(kind))
  const controlPerSecond = sum(control.map((row) => row.perSecond))
  const result: CoreResult = {
    bench: 'core',
    rounds,
    neighbours: NEIGHBOURS,
    seconds: round2(seconds),
    megabytesFromPeers: round2(fromPeers),
    megabytesFromOrigin: round2(traffic.httpBytes / 1e6),
    megabytesUploaded: round2(traffic.uploadedBytes / 1e6),
    controlMessages: Math.round(controlPerSecond * seconds),
    decisionsMsPerSecond: round2(decisions),
    targetMsPerSecond: TARGET_MS_PER_SECOND,
    microsecondsPerControlMessage: round2(
      (sum(control.map((row) => row.cpuMsPerSecond)) * 1000) / controlPerSecond,
    ),
    rows,
    inputs,
  }
  print(result)
  return result
}

function rowOf(part: string, samples: readonly Cost[], seconds: number, megabytes: number): CoreRow {
  const cpuMs = median(samples.map((sample) => sample.cpuMs))
  return {
    part,
    cpuMsPerSecond: round2(cpuMs / seconds),
    wallMsPerSecond: round2(median(samples.map((sample) => sample.wallMs)) / seconds),
    cpuMsPerMegabyte: round2(cpuMs / megabytes),
  }
}

function inputRows(
  kinds: readonly InputKind[],
  rounds: readonly ReadonlyMap<InputKind, number>[],
  seconds: number,
  engineMs: number,
): InputRow[] {
  const counts = new Map<InputKind, number>()
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return [...counts]
    .map(([kind, count]) => {
      const ms = engineMs * median(rounds.map((spent) => (spent.get(kind) ?? 0) / sum([...spent.values()])))
      return {
        kind,
        perSecond: round2(count / seconds),
        cpuMicroseconds: round2((ms * 1000) / count),
        cpuMsPerSecond: round2(ms / seconds),
      }
    })
    .sort((a, b) => b.cpuMsPerSecond - a.cpuMsPerSecond)
}

function print({ rows, inputs, decisionsMsPerSecond, targetMsPerSecond }: CoreResult): void {
  for (const { part, cpuMsPerSecond, wallMsPerSecond, cpuMsPerMegabyte } of rows) {
    const perSecond = `${cpuMsPerSecond} ms CPU (${wallMsPerSecond} on the wall) per second`
    console.error(`${part.padEnd(16)} ${perSecond}, ${cpuMsPerMegabyte} ms CPU per MB delivered`)
  }
  for (const { kind, perSecond, cpuMicroseconds, cpuMsPerSecond } of inputs) {
    console.error(
      `  ${kind.padEnd(16)} ${perSecond}/s x ${cpuMicroseconds} us = ${cpuMsPerSecond} ms per second`,
    )
  }
  console.error(`decisions: ${decisionsMsPerSecond} ms CPU per second of stream, target ${targetMsPerSecond}`)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function round2(value: number): number {
  return Number(value.toFixed(2))
}
