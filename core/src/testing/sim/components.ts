/** Members of the largest connected part of a graph, as a share of all; 0 for none. */
export function componentShare<T>(neighbours: ReadonlyMap<T, readonly T[]>): number {
  const seen = new Set<T>()
  let largest = 0
  for (const start of neighbours.keys()) {
    if (seen.has(start)) continue
    seen.add(start)
    const open = [start]
    let size = 0
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      size++
      for (const other of neighbours.get(next) ?? []) {
        // A neighbour that has gone is not counted before the link notices.
        if (seen.has(other) || !neighbours.has(other)) continue
        seen.add(other)
        open.push(other)
      }
    }
    largest = Math.max(largest, size)
  }
  return neighbours.size === 0 ? 0 : largest / neighbours.size
}
