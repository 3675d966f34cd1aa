/** @param {number} bytes */
export function megabytes(bytes) {
  const value = bytes / 1e6
  return `${value.toFixed(value < 100 ? 1 : 0)} MB`
}

/** @param {number} part @param {number} whole */
export function percent(part, whole) {
  return whole === 0 ? '–' : `${Math.round((100 * part) / whole)} %`
}

/** @param {number | null} value */
export function seconds(value) {
  return value === null ? '–' : `${value.toFixed(1)} s`
}

/** @param {number} count @param {string} one @param {string} many */
export function counted(count, one, many) {
  return `${count} ${count === 1 ? one : many}`
}
