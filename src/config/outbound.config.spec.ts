import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, type ConfigFault } from './config.errors';
import { loadConfig } from './load-config';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onhand-config-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function allowOf(yaml: string, env: NodeJS.ProcessEnv = {}): readonly string[] {
  writeFileSync(join(folder, 'onhand.yaml'), yaml);
  return loadConfig({ env, cwd: folder }).outbound.allow;
}

function faults(yaml: string, env: NodeJS.ProcessEnv = {}): readonly ConfigFault[] {
  try {
    allowOf(yaml, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  throw new Error('The configuration was accepted, and a refusal was expected.');
}

test('names, addresses and ranges are taken, written as YAML lets them be', () => {
  const allow = [
    ...['wms.internal', 'wms.internal:8443', 'WMS_1.internal.', 'localhost', 'bücher.example', 'host:1'],
    ...['127.0.0.1', '127.0.0.1:65535', '::1', '[::1]', '[::1]:8080', 'fd00::1', '10.0.0.0/8', 'fc00::/7'],
    ...['10.1.2.3/32', '64:ff9b::/96', '169.254.169.254'],
  ];
  expect(allowOf(`outbound:\n  allow:\n${allow.map((entry) => `    - "${entry}"`).join('\n')}`)).toEqual(
    allow,
  );
  expect(
    allowOf('outbound: { allow: [127.0.0.1, 127.0.0.1:8080, 10.1.0.0/16, wms.internal:8443] }'),
  ).toHaveLength(4);
});

test('nothing, and an empty section, allow nothing', () => {
  expect(allowOf('')).toEqual([]);
  expect(allowOf('outbound:\n')).toEqual([]);
  expect(allowOf('outbound:\n  allow:\n')).toEqual([]);
});

test('an entry may come from the environment', () => {
  expect(allowOf('outbound: { allow: ["${WMS}:8443"] }', { WMS: 'wms.internal' })).toEqual([
    'wms.internal:8443',
  ]);
});

const WHAT = /^a host name, an address or a range/;

test.each([
  ['http://wms.internal', WHAT],
  ['wms.internal/api', WHAT],
  ['*.internal', WHAT],
  ['', /a list of host names/],
  ['-wms', WHAT],
  ['a b', WHAT],
  ['user@wms.internal', WHAT],
  ['wms.internal:', /^a port from 1 to 65535/],
  ['wms.internal:0', /^a port from 1 to 65535/],
  ['wms.internal:65536', /^a port from 1 to 65535/],
  ['wms.internal:http', WHAT],
  ['[wms.internal]', WHAT],
  ['[127.0.0.1]', WHAT],
  ['[::1', WHAT],
  ['[::1]8080', WHAT],
  ['1.2.3', /^1\.2\.0\.3, as that address is usually written/],
  ['127.1', /^127\.0\.0\.1, as/],
  ['0x7f.1:80', /^127\.0\.0\.1, as/],
  ['2130706433', /^127\.0\.0\.1, as/],
  ['１２７.0.0.1', /^127\.0\.0\.1, as/],
  ['127.0.0.1.', /^127\.0\.0\.1, as/],
  ['999.1.1.1', WHAT],
  ['::ffff:127.0.0.1', /^the IPv4 address itself/],
  ['::ffff:0:0/96', /^the IPv4 address itself/],
  ['fe80::1%eth0', /without a zone/],
  ['0.0.0.0/0', /^a range from \/8 to \/32/],
  ['10.0.0.0/7', /^a range from \/8 to \/32/],
  ['10.0.0.0/33', /^a range from \/8 to \/32/],
  ['::/0', /^a range from \/7 to \/128/],
  ['10.0.0.0/', WHAT],
  ['10.0.0.0/255.0.0.0', WHAT],
  ['10.0.0.0/8:80', WHAT],
  ['wms.internal/8', WHAT],
])('%j is refused with what is expected in its place', (entry, expected) => {
  const [fault, ...others] = faults(`outbound:\n  allow:\n    - 127.0.0.1\n    - ${JSON.stringify(entry)}`);
  expect(others).toEqual([]);
  expect(fault?.expected).toMatch(expected);
  if (entry !== '')
    expect(fault).toMatchObject({ path: 'outbound.allow[1]', line: 4, found: JSON.stringify(entry) });
});

test('every wrong entry is named at once, and one from a variable is not shown', () => {
  const found = faults('outbound: { allow: ["*", "${WMS}", ok.internal, "a/b"] }', { WMS: 'http://hunter2' });
  expect(found.map(({ path }) => path)).toEqual([
    'outbound.allow[0]',
    'outbound.allow[1]',
    'outbound.allow[3]',
  ]);
  expect(JSON.stringify(found)).not.toContain('hunter2');
});

test.each(['outbound: { allow: 127.0.0.1 }', 'outbound: { allow: [8080] }', 'outbound: { allow: [[::1]] }'])(
  '%s is one fault',
  (yaml) =>
    expect(faults(yaml)).toMatchObject([
      { path: 'outbound.allow', expected: expect.stringMatching(/^a list of/) },
    ]),
);
