const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
}

export const NOT_BYTES = 'Not a number of bytes, such as 4294967296, 500MB or 4GiB.'

/** A number of bytes as people write it, or null. */
export function bytesOf(text: string): number | null {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim()) ?? []
  const factor = UNITS[unit.toUpperCase()]
  const bytes = factor === undefined || number === '' ? 0 : Math.floor(Number(number) * factor)
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : null
}
