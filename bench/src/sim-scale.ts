/** Chunks of 66 kB: a piece of 64 KiB is one. */
export const MAX_COARSE = 58

/** Swarms up to this size are simulated chunk by chunk, and each viewer has memory of its own. */
const EXACT_VIEWERS = 30
/** Larger ones have chunks of 33 kB, two in a piece of 64 KiB; and the largest one chunk for each. */
const LARGE_SWARM_COARSE = 29
const HUGE_VIEWERS = 300

const DEFAULT_VIEWERS = 100

/** How the cost of a run is kept down; decided before anything of the product is loaded. */
export interface SimScale {
  /** Factor by which chunks are larger than on the wire. */
  readonly coarse: number
  /** All viewers share the bytes of segments, and only samples of them travel. */
  readonly sharedMemory: boolean
}

/** As the arguments say, else by the number of viewers; arguments that are wrong are told of later. */
export function scaleOf(args: readonly string[]): SimScale {
  const viewers = Number(argumentOf(args, '--viewers') ?? DEFAULT_VIEWERS)
  const exact = viewers <= EXACT_VIEWERS
  const large = viewers > HUGE_VIEWERS ? MAX_COARSE : LARGE_SWARM_COARSE
  const asked = Number(argumentOf(args, '--coarse') ?? (exact ? 1 : large))
  const memory = argumentOf(args, '--memory')
  return {
    coarse: Number.isInteger(asked) && asked >= 1 && asked <= MAX_COARSE ? asked : 1,
    sharedMemory: memory === undefined ? !exact : memory === 'shared',
  }
}

function argumentOf(args: readonly string[], name: string): string | undefined {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`))
  const arg = args[at]
  return arg === name ? args[at + 1] : arg?.slice(name.length + 1)
}
