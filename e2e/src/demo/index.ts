export { type DemoConfig, type DemoServer, startDemo } from './server.js'
