import { defineConfig, type Plugin } from 'vite'

/**
 * What the built page may do: its own files and its own tracker, nothing else. The development server
 * injects styles inline, so the policy is written at build time only.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

const contentSecurityPolicy: Plugin = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY },
      injectTo: 'head-prepend',
    },
  ],
}

/** The tracker serves `dist/` at a path of its operator's choice, so every address is relative. */
export default defineConfig({
  base: './',
  plugins: [contentSecurityPolicy],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // One chunk: nothing is loaded lazily, and the polyfill would be dead code in an ES2022 browser.
    modulePreload: false,
    // The policy allows data: for the icon only.
    assetsInlineLimit: 0,
    // The licences of what is bundled ask for their text to go with it.
    license: { fileName: 'licenses.md' },
  },
})
