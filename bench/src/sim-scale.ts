/** Chunks of 18 kB: a few in the smallest piece but one, and in the send buffer. */
export const MAX_COARSE = 16

/** Swarms up to this size are simulated chunk by chunk, and each viewer has memory of its own. */
const EXACT_VIEWERS = 30
/** Larger ones have chunks of 9 kB: seven in the send buffer, and in a piece of 64 KiB eight. */
const LARGE_SWARM_COARSE = 8

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
  const asked = Number(argumentOf(args, '--coarse') ?? (exact ? 1 : LARGE_SWARM_COARSE))
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
