// node scripts/scaling.mjs [--check]: computes the results of docs/scaling.md from its inputs.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FILE = fileURLToPath(new URL('../docs/scaling.md', import.meta.url))
const BEGIN = '<!-- computed by scripts/scaling.mjs -->\n'
const END = '<!-- end -->'

/** Bytes of an offer or an answer around its description: keys, ids, frame, TCP and IP. */
const AROUND = 250

const text = readFileSync(FILE, 'utf8')
const computed = text.replace(
  new RegExp(`${BEGIN}[^]*${END}`),
  () => `${BEGIN}${tableOf(resultsOf(inputsOf(text)))}${END}`,
)
if (process.argv.includes('--check')) {
  if (computed !== text) {
    console.error('docs/scaling.md: the results are not those of its inputs: node scripts/scaling.mjs')
    process.exitCode = 1
  }
} else writeFileSync(FILE, computed)

/** The rows of the first table, by name. Throws where one is no number. */
function inputsOf(page) {
  const rows = [...page.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)]
  const inputs = Object.fromEntries(rows.map(([, name, value]) => [name, Number(value)]))
  for (const [name, value] of Object.entries(inputs)) {
    if (!(value > 0)) throw new Error(`docs/scaling.md: ${name} is not a number above 0`)
  }
  return inputs
}

/** Each: what, formula, value. */
function resultsOf(i) {
  const announces = i.viewers / i.interval
  // Every announce is answered; each of its offers is relayed, and so is each answer.
  const responses = announces * (1 + 2 * i.offers)
  const reports = i.viewers / i.report
  const cores = (responses + reports) / i.clusterRate
  const nodes = Math.ceil(Math.max(cores / i.load, i.viewers / i.sockets))
  const memory = (i.viewers * (i.peerMemory + i.kernelMemory)) / 1024 ** 2
  // An announce brings its offers and their answers, and takes as many out.
  const relayed = announces * 2 * i.offers * (i.sdp + AROUND)
  const [inbound, outbound] = [relayed + reports * i.reportIn, relayed + reports * i.reportOut]
  const bus = announces * i.busBytes
  const frames = nodes * Math.min(100 * (nodes - 1), announces / nodes)
  const redis = (announces * i.redisCpu) / 1000 + frames * i.redisFrame
  const entries = i.swarms * nodes
  const back = i.viewers / nodes / i.restart
  return [
    ['announces', '`viewers / interval`', `${number(announces)} a second`],
    ['responses to them', '`announces x (1 + 2 x offers)`', `${number(responses)} a second`],
    ['reports, each with a reply', '`viewers / report`', `${number(reports)} a second`],
    ['busy cores', '`(responses + reports) / clusterRate`', cores.toFixed(1)],
    ['the same without Redis', '`(responses + reports) / rate`', ((responses + reports) / i.rate).toFixed(1)],
    ['processes', '`max(cores / load, viewers / sockets)`', `${nodes}`],
    ['memory of all nodes', '`viewers x (peerMemory + kernelMemory)`', `${memory.toFixed(1)} GiB`],
    ['into the nodes', '`announces x 2 x offers x (sdp + 250 B) + reports x reportIn`', bits(inbound)],
    ['out of them', 'the same with `reportOut`', bits(outbound)],
    ['into Redis, and out of it', '`announces x busBytes`', bits(bus)],
    [
      'frames',
      '`min(100 x (processes - 1), announces / processes)` a process',
      `${number(frames)} a second at most`,
    ],
    [
      'CPU of Redis',
      '`announces x redisCpu / 1000 + frames x redisFrame`',
      `${percent(redis / 1000)} of a core`,
    ],
    [
      'counts of swarms, in the worst case',
      '`swarms x processes` a second, to each node',
      `${number(entries)} entries, ${bits(entries * i.entryBytes)}`,
    ],
    [
      'a node fails: announces of its clients',
      '`viewers / processes / restart`, over all others',
      `${number(back)} a second more (${percent(back / announces)})`,
    ],
  ]
}

function tableOf(rows) {
  return [
    '| what | formula | value |',
    '|---|---|---|',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
  ].join('\n')
}

function number(value) {
  return Math.round(Number(value.toPrecision(3))).toLocaleString('en-US')
}

function bits(bytesPerSecond) {
  const megabits = (8 * bytesPerSecond) / 1e6
  return megabits >= 1000 ? `${(megabits / 1000).toFixed(1)} Gbit/s` : `${number(megabits)} Mbit/s`
}

function percent(share) {
  return `${number(100 * share)} %`
}
