#!/usr/bin/env node
'use strict';

const { existsSync } = require('node:fs');
const { join } = require('node:path');

const built = join(__dirname, '../dist/src/cli.js');
if (!existsSync(built)) {
  process.stderr.write('Onhand is not built yet. Run `npm run build` in its folder, then try again.\n');
  process.exit(1);
}
require(built).run();
