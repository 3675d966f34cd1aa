import { exactly, ownNames } from './vite-own-names.js'
import { shortErrors } from './vite-short-errors.js'
import { slimSimplePeer } from './vite-simple-peer.js'

/**
 * Two self-contained files: `shoal.js` (ES module) and `shoal.global.js` (script tag, global
 * `ShoalPlayer`). `tsc -b` writes the declarations beside them, so the folder is not emptied.
 */
export default {
  plugins: [slimSimplePeer(), shortErrors()],
  build: {
    target: 'es2022',
    emptyOutDir: false,
    sourcemap: true,
    rolldownOptions: {
      output: {
        minify: {
          compress: true,
          mangle: true,
          // Vite leaves white space in ES libraries for the bundlers of their users; a script tag has none.
          codegen: true,
          // The last is React Native's, which simple-peer only looks at.
          mangleProps: { include: exactly(ownNames().mangled), reserved: ['_peerConnectionId'] },
        },
        // simple-peer's licence asks for its notice in every copy.
        postBanner:
          '/*! simple-peer 9.11.1. MIT License. Copyright (c) Feross Aboukhadijeh <https://feross.org/opensource> */',
      },
    },
    lib: {
      entry: 'src/index.ts',
      name: 'ShoalPlayer',
      formats: ['es', 'iife'],
      fileName: (format: string) => (format === 'es' ? 'shoal.js' : 'shoal.global.js'),
    },
  },
}
