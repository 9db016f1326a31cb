// Lets a plain `node -r` child process require the TypeScript sources, as the tests themselves do.
const fs = require('node:fs');
const { transformSync } = require('@swc/core');
const [, options] = Object.values(require('../../jest.config.js').transform)[0];

// A plugin is imported by its URL, which `require` does not take.
options.module.ignoreDynamic = true;

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(fs.readFileSync(filename, 'utf8'), { ...options, filename });
  module._compile(code, filename);
};
