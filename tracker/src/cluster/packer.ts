import { Packr } from 'msgpackr'

/** Without records: every frame stands alone, and nothing in it changes how the next one is read. */
export const packer = new Packr({ useRecords: false })

/** Undefined for what is no MessagePack. */
export function unpacked(bytes: Uint8Array): unknown {
  try {
    return packer.unpack(bytes)
  } catch {
    return undefined
  }
}
