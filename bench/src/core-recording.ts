import { createSwarm, type Random, type Swarm, type SwarmOptions, type SwarmPorts } from '@shoal/core'
import { Engine, type EngineOptions } from '../../core/dist/engine/engine.js'
import type { Effect, Input } from '../../core/dist/engine/io.js'

/** All that happened to one engine: enough to let it happen again to another. */
export interface Recording {
  readonly options: EngineOptions
  readonly inputs: readonly Input[]
  /** What its source of chance gave it, in order; the runtime's own draws are left out. */
  readonly draws: readonly number[]
  /** Every effect, in the order of the inputs. */
  readonly effects: readonly Effect[]
  /** First input and first effect of the window that is measured. */
  readonly windowStart: number
  readonly windowEffects: number
  /** Media duration of what was played in the window, in milliseconds. */
  readonly streamMs: number
}

/** Writes down what happens to one engine of many. */
export class Recorder {
  readonly #inputs: Input[] = []
  readonly #draws: number[] = []
  readonly #effects: Effect[] = []
  readonly #handle = Engine.prototype.handle
  readonly #note = Engine.prototype.noteBuffered
  #engine: Engine | null = null
  #options: SwarmOptions | null = null
  #handling = false
  #windowStart = 0
  #windowEffects = 0

  /** Makes the member that is recorded. Its engine is a private part of it, and so caught by its first input. */
  createSwarm(options: SwarmOptions, ports: SwarmPorts): Swarm {
    this.#options = options
    const recorder = this
    const handle = this.#handle
    const note = this.#note
    Engine.prototype.handle = function (input) {
      recorder.#engine ??= this
      return recorder.#engine === this ? recorder.#record(this, input) : handle.call(this, input)
    }
    // What a channel has drained would be noted beside the inputs: here it comes as one.
    Engine.prototype.noteBuffered = function (link, bytes, looking) {
      return recorder.#engine !== this && note.call(this, link, bytes, looking)
    }
    const swarm = createSwarm(options, { ...ports, random: () => this.#draw(ports.random) })
    if (this.#engine === null) throw new Error('the engine was given no input when its swarm was made')
    return swarm
  }

  /** What follows is what is measured. */
  startWindow(): void {
    this.#windowStart = this.#inputs.length
    this.#windowEffects = this.#effects.length
  }

  /** Ends the recording. */
  finish(streamMs: number): Recording {
    Engine.prototype.handle = this.#handle
    Engine.prototype.noteBuffered = this.#note
    if (this.#options === null) throw new Error('nothing was recorded')
    return {
      options: this.#options,
      inputs: this.#inputs,
      draws: this.#draws,
      effects: this.#effects,
      windowStart: this.#windowStart,
      windowEffects: this.#windowEffects,
      streamMs,
    }
  }

  #record(engine: Engine, input: Input): readonly Effect[] {
    this.#inputs.push(input)
    this.#handling = true
    try {
      const effects = this.#handle.call(engine, input)
      for (const effect of effects) this.#effects.push(effect)
      return effects
    } finally {
      this.#handling = false
    }
  }

  #draw(random: Random): number {
    const drawn = random()
    if (this.#handling) this.#draws.push(drawn)
    return drawn
  }
}
