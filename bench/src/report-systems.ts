import type { SwarmRow } from './swarm-result.js'
import { type PlayerName, ROWS } from './swarm-rows.js'

/** Where the settings of a program come from, and what was set beyond the row's own. */
const SOURCES: Readonly<Record<PlayerName, string>> = {
  'hls.js': "hls.js's defaults",
  shoal: "the plugin's defaults",
  'p2p-media-loader':
    "its [API documentation](https://novage.github.io/p2p-media-loader/docs/v2.3/) and README's import map; no STUN server, since none is needed on one machine",
  swarmcloud:
    'its [documentation](https://docs.swarmcloud.net/web-hls/API), with the hls.js 1.5.7 that it brings (its loader throws in hls.js 1.7.4: no segment but the first plays); no STUN server; its tracking service cannot be reached, so that there are no peers',
}

/** The rows that have results: settings, and what a site adds to hls.js. */
export function rowsTable(used: ReadonlySet<string>, results: readonly SwarmRow[]): readonly string[] {
  const lines = ROWS.filter(({ name }) => used.has(name)).map((row) => {
    const size = results.find(({ system }) => system === row.name)?.pluginGzipBytes ?? 0
    const settings = JSON.stringify({ ...row.hls, ...row.p2p })
    return `| ${[
      row.name,
      row.title,
      settings === '{}' ? 'none' : `\`${settings}\``,
      SOURCES[row.player],
      size === 0 ? '-' : `${(size / 1024).toFixed(1)} KiB`,
    ].join(' | ')} |`
  })
  return ['| row | what | set | after | gzip without hls.js |', '|---|---|---|---|---:|', ...lines]
}
