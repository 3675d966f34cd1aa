/** What is done to each segment; `copy` is the control. */
export const PARTS = ['verify', 'hash', 'signature', 'sign', 'copy'] as const
export type Part = (typeof PARTS)[number]

/** 4 s at 8 Mbit/s. */
export const SEGMENT_BYTES = 4_000_000
