#!/usr/bin/env node
import { main } from '../dist/main.js'

// Keep-alive connections of browsers must not hold the process: leave at once when all is said.
process.exit(await main(process.argv.slice(2)))
