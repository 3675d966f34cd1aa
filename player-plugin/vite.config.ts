/**
 * Two self-contained files: `shoal.js` (ES module) and `shoal.global.js` (script tag, global
 * `ShoalPlayer`). `tsc -b` writes the declarations beside them, so the folder is not emptied.
 */
export default {
  build: {
    target: 'es2022',
    emptyOutDir: false,
    sourcemap: true,
    // Vite leaves white space in ES libraries for the bundlers of their users; a script tag has none.
    rolldownOptions: { output: { minify: true } },
    lib: {
      entry: 'src/index.ts',
      name: 'ShoalPlayer',
      formats: ['es', 'iife'],
      fileName: (format: string) => (format === 'es' ? 'shoal.js' : 'shoal.global.js'),
    },
  },
}
