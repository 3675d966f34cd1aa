import { HonestPair } from './fuzz-honest.js'

// The honest pair in a process of its own: the hostile one is far too busy to keep its time.
const pair = await HonestPair.start(Number(process.argv[2]))
process.send?.('ready')
process.on('message', (message) => {
  if (message !== 'stop') return
  void pair.stop().then((report) => {
    process.send?.(report, undefined, undefined, () => process.exit(0))
  })
})
