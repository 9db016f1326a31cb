import { resolve } from 'node:path';
import { defineConfig } from 'vite';

/** Built into the package: the page needs nothing of the network but its own host. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  build: {
    outDir: resolve(import.meta.dirname, '../../../dist/console'),
    emptyOutDir: true,
    // A data: address would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The notices of the libraries in it, as their licences ask.
    license: { fileName: 'licenses.md' },
  },
});
