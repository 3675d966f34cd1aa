import { startService } from './service.mjs'

const HOST = '127.0.0.1'

/**
 * Everything that `npm start` runs, as far as it was started.
 *
 * @typedef {{ stop: () => Promise<void>, failed: Promise<Error> }} Stack
 *   `failed` resolves when a program ends that was not told to
 */

/**
 * Starts tracker, origin, seeders and demo page. The packages are built.
 *
 * @param {(index: number) => number} port
 * @param {(line: string) => void} tell
 * @returns {{ ready: Promise<Record<string, unknown>>, stack: Stack }} `stack` can be stopped at any time
 */
export function startStack(port, tell) {
  /** @type {(() => Promise<void>)[]} */
  const stops = []
  /** @type {(error: Error) => void} */
  let fail = () => {}
  /** @type {Promise<Error>} */
  const failed = new Promise((resolve) => {
    fail = resolve
  })
  let stopped = false
  /** @type {Promise<void> | null} */
  let stopping = null

  /** @param {() => Promise<void>} stop */
  const keep = async (stop) => {
    // Told to stop while this was starting.
    if (stopped) await stop()
    else stops.push(stop)
  }
  /** @param {string} name @param {string} script @param {readonly string[]} args */
  const service = async (name, script, args) => {
    const started = startService(name, script, args)
    await keep(started.stop)
    const { url } = await started.ready
    started.ended.then(fail)
    return String(url)
  }

  const start = async () => {
    // Not before now: these are built.
    const { makeVod, startOrigin, DEFAULT_SAMPLE_ROOT } = await import('../../e2e/dist/sample/index.js')
    const { startDemo } = await import('../../e2e/dist/demo/index.js')
    await makeVod({ onProgress: tell })
    const origin = await startOrigin({ root: DEFAULT_SAMPLE_ROOT, port: port(2) })
    await keep(origin.close)
    const tracker = await service('tracker', 'tracker/bin/shoal-tracker.js', [
      ...['--host', HOST, '--port', String(port(1)), '--report-interval', '2'],
      ...['--log-level', 'warn', '--json'],
    ])
    const announce = tracker.replace(/^http/, 'ws')
    const [vod, live] = [`${origin.url}/vod/master.m3u8`, `${origin.url}/live/master.m3u8`]
    const seeders = await Promise.all(
      [
        { name: 'VOD seeder', title: 'Sample VOD', source: vod, index: 3 },
        { name: 'live seeder', title: 'Sample live stream', source: live, index: 4 },
      ].map(({ name, title, source, index }) =>
        service(name, 'seeder/bin/shoal-seeder.js', [
          ...[source, '--tracker', announce, '--host', HOST, '--http-port', String(port(index))],
          ...['--name', title, '--log-level', 'warn', '--json'],
        ]),
      ),
    )
    const dashboard = `${tracker}/dashboard/`
    const demo = await startDemo({ config: { tracker: announce, vod, live, dashboard }, port: port(0) })
    await keep(demo.close)
    return {
      ...{ player: demo.url, dashboard, tracker, origin: origin.url, seeder: seeders[0] },
      ...{ announce, vod, live, seeders },
    }
  }

  const stop = async () => {
    stopped = true
    await Promise.all(stops.map((stopOne) => stopOne()))
  }
  const ready = start()
  // Who stops before it is ready does not ask for it any more.
  ready.catch(() => {})
  return {
    ready,
    stack: {
      failed,
      stop: () => {
        stopping ??= stop()
        return stopping
      },
    },
  }
}
