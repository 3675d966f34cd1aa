/** One end's program. */
export type EndKind = 'node' | 'chromium'

/**
 * `shoal`: our link. `bare`: the same library and channel settings without our adapter. `bare-relu`: the
 * same with a reliable unordered channel, which ours must not be slower than.
 */
export type Target = 'shoal' | 'bare' | 'bare-relu'

/** One measurement. */
export interface Cell {
  readonly sender: EndKind
  readonly receiver: EndKind
  readonly target: Target
  readonly messageBytes: number
}

/** One packet's message, and what a sender that knows no packets would take. */
const SMALL = 1150
const LARGE = 16_384

const PAIRS: readonly (readonly [EndKind, EndKind])[] = [
  ['node', 'node'],
  ['node', 'chromium'],
  ['chromium', 'node'],
  ['chromium', 'chromium'],
]

/** Our link forbids large messages on the lossy channel: those rows are the bare channel's alone. */
const KINDS: readonly (readonly [Target, number])[] = [
  ['shoal', SMALL],
  ['bare', SMALL],
  ['bare-relu', SMALL],
  ['bare', LARGE],
  ['bare-relu', LARGE],
]

/** Targets alternate within a pair, so that what else the machine does hits them alike. */
export const CELLS: readonly Cell[] = PAIRS.flatMap(([sender, receiver]) =>
  KINDS.map(([target, messageBytes]) => ({ sender, receiver, target, messageBytes })),
)

export function pathOf(cell: Cell): string {
  return `${cell.sender}-${cell.receiver}`
}
