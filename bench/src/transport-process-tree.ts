import { readdirSync, readFileSync } from 'node:fs'

/** `_SC_CLK_TCK` of Linux on every architecture that Node runs on: /proc counts in these. */
const TICKS_PER_SECOND = 100

interface ProcessStat {
  readonly pid: number
  readonly parent: number
  readonly ticks: number
}

/** CPU time of a process and its descendants that are alive, user and system, in milliseconds. Linux only. */
export function processTreeCpuMs(root: number): number {
  const ticks = processTree(root).reduce((sum, stat) => sum + stat.ticks, 0)
  return (ticks * 1000) / TICKS_PER_SECOND
}

/** CPU time of one process, user and system, in milliseconds; 0 when it has ended. Linux only. */
export function processCpuMs(pid: number): number {
  return ((readStat(pid)[0]?.ticks ?? 0) * 1000) / TICKS_PER_SECOND
}

/** A process and its descendants that are alive. Linux only. */
export function processTree(root: number): readonly ProcessStat[] {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)))
  const family = new Set([root])
  // Parents have not always lower numbers than their children: look until nobody is added.
  for (let size = 0; size !== family.size; ) {
    size = family.size
    for (const { pid, parent } of stats) if (family.has(parent)) family.add(pid)
  }
  return stats.filter(({ pid }) => family.has(pid))
}

/** Empty where the process has just ended. */
function readStat(pid: number): ProcessStat[] {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return []
  }
  // proc(5): the name in parentheses may hold anything; state is field 3, ppid 4, utime 14, stime 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return [{ pid, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }]
}
