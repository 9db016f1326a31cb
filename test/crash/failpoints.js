// Loaded into a built host by `node -r`: wraps what failpoints.json names, so that the host has no hook of its own.
// On SIGUSR2 the file named by ONHAND_FAILPOINT_FILE says which point, reached for the how-manieth time, kills it.
'use strict';

const { readFileSync, writeSync } = require('node:fs');
const { join } = require('node:path');

const BUILT = join(__dirname, '../../dist/src');
/** After so long a push has left the host, and its answer is hardly back. */
const UNDER_WAY_MS = 3;
let armed;

require('reflect-metadata');
// All of it first, so that modules meet their neighbours in the order they do without this.
require(join(BUILT, 'app.module.js'));
for (const point of JSON.parse(readFileSync(join(__dirname, 'failpoints.json'), 'utf8'))) wrap(point);
process.on('SIGUSR2', () => {
  armed = JSON.parse(readFileSync(process.env.ONHAND_FAILPOINT_FILE, 'utf8'));
});

function wrap(point) {
  const exported = require(join(BUILT, `${point.module}.js`));
  const owner = point.class ? exported[point.class].prototype : exported;
  const original = owner[point.method];
  if (typeof original !== 'function') throw new Error(`failpoint ${point.name}: there is no ${point.method}`);
  owner[point.method] = function (...given) {
    if (point.when === 'before' && !(point.unless === 'nothing-given' && given[0].length === 0))
      reached(point.name);
    const result = original.apply(this, given);
    if (point.when === 'during') setTimeout(() => reached(point.name), UNDER_WAY_MS);
    if (point.when !== 'after') return result;
    if (typeof result?.then !== 'function') return passed(point, result);
    return result.then((value) => passed(point, value));
  };
}

function passed(point, value) {
  if (!(point.unless === 'empty' && value.length === 0)) reached(point.name);
  return value;
}

function reached(name) {
  if (armed?.name !== name) return;
  armed.nth -= 1;
  if (armed.nth > 0) return;
  writeSync(2, `\nkilled at the failpoint ${name}\n`);
  process.kill(process.pid, 'SIGKILL');
  // Nothing more is done in the instant until the signal comes.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
