import { describeEngines } from '../testing/engines.js'
import { stockClientConformance } from '../testing/stock-conformance.js'

describeEngines('the stock client', {}, (at) => {
  stockClientConformance({
    get urls() {
      return [at.url]
    },
    sockets: () => at.stats().sockets,
  })
})
