import { decodeMessage, type PeerMessage } from '@shoal/protocol'
import { Engine } from '../../core/dist/engine/engine.js'
import type { Effect, Input } from '../../core/dist/engine/io.js'
import type { Recording } from './core-recording.js'

/** What an input is, for the table: a message by its own type. */
export type InputKind = Exclude<Input['type'], 'message'> | PeerMessage['type']

/** CPU time of the whole process and time on the wall, of the window, in milliseconds. */
export interface Cost {
  readonly cpuMs: number
  readonly wallMs: number
}

/** Kind of each input of the window. */
export function kindsOf({ inputs, windowStart }: Recording): InputKind[] {
  return inputs
    .slice(windowStart)
    .map((input) => (input.type === 'message' ? decodeMessage(input.bytes, input.channel).type : input.type))
}

/**
 * Lets a fresh engine live through the recording and compares what it does.
 *
 * @throws Error where it does anything else: its costs would be those of another run
 */
export function verifyReplay(recording: Recording): void {
  const engine = freshEngine(recording)
  let next = 0
  for (const input of recording.inputs) {
    for (const effect of engine.handle(input)) {
      const recorded = recording.effects[next++]
      if (recorded === undefined || !sameEffect(effect, recorded)) {
        throw new Error(`the replay's effect ${next} is ${effect.type}, recorded was ${recorded?.type}`)
      }
    }
  }
  if (next !== recording.effects.length) throw new Error('the replay has fewer effects than the recording')
}

function sameEffect(a: Effect, b: Effect): boolean {
  if (a.type !== b.type) return false
  if (a.type !== 'send' || b.type !== 'send') return true
  return a.link === b.link && a.channel === b.channel && Buffer.compare(a.bytes, b.bytes) === 0
}

/** One replay; the clock is read only at the ends of the window. */
export function replayWhole(recording: Recording): Cost {
  const { inputs, windowStart } = recording
  const engine = freshEngine(recording)
  for (let index = 0; index < windowStart; index++) engine.handle(inputs[index] as Input)
  return costOf(() => {
    for (let index = windowStart; index < inputs.length; index++) engine.handle(inputs[index] as Input)
  })
}

/** One replay with the clock read around every input: wall milliseconds by kind, the clock's own time taken off. */
export function replayByKind(recording: Recording, kinds: readonly InputKind[]): Map<InputKind, number> {
  const { inputs, windowStart } = recording
  const engine = freshEngine(recording)
  for (let index = 0; index < windowStart; index++) engine.handle(inputs[index] as Input)
  const reading = clockCost()
  const spent = new Map<InputKind, number>()
  kinds.forEach((kind, index) => {
    const input = inputs[windowStart + index] as Input
    const before = performance.now()
    engine.handle(input)
    const took = performance.now() - before - reading
    spent.set(kind, (spent.get(kind) ?? 0) + took)
  })
  return spent
}

/** Cost of what `run` does at once. Threads that collect garbage count too. */
export function costOf(run: () => void): Cost {
  const before = process.cpuUsage()
  const startedAt = performance.now()
  run()
  const wallMs = performance.now() - startedAt
  const { user, system } = process.cpuUsage(before)
  return { cpuMs: (user + system) / 1000, wallMs }
}

function freshEngine({ options, draws }: Recording): Engine {
  let next = 0
  return new Engine(options, () => {
    const drawn = draws[next++]
    if (drawn === undefined) throw new Error('the replay draws more than was recorded')
    return drawn
  })
}

/** Milliseconds between two readings of the clock with nothing between them. */
function clockCost(): number {
  const readings = 100_000
  let total = 0
  for (let reading = 0; reading < readings; reading++) {
    const before = performance.now()
    total += performance.now() - before
  }
  return total / readings
}
