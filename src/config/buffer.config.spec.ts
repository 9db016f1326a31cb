import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './config.errors';
import { loadConfig } from './load-config';
import { readPolicyFile } from './policy-file';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onhand-config-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function load(yaml: string) {
  writeFileSync(join(folder, 'onhand.yaml'), yaml);
  return loadConfig({ env: {}, cwd: folder });
}

function faultsOf(attempt: () => unknown) {
  try {
    attempt();
  } catch (error) {
    if (error instanceof ConfigError)
      return error.faults.map(({ path, found, line }) => ({ path, found, line }));
    throw error;
  }
  return [];
}

test('the base rule is a start: a figure beside it counts, for the host as for a channel and a policy', () => {
  const { buffers, channels } = load(
    [
      'buffers: { rule: base, percent: 8, policies: [{ name: calm, channel: b, rule: none, units: 1 }] }',
      'channels:',
      '  - { name: a, plugin: x, buffer: { rule: none, units: 1 } }',
      '  - { name: b, plugin: x }',
    ].join('\n'),
  );
  expect(buffers).toMatchObject({
    units: 5,
    percent: 8,
    syncLatencies: 2,
    floorPercent: 50,
    stalePercent: 20,
  });
  expect(buffers.policies).toMatchObject([
    {
      name: 'calm',
      channel: 'b',
      tag: null,
      settings: { units: 1, percent: 0, syncLatencies: 0 },
      windows: null,
    },
  ]);
  expect(channels[0]!.buffer).toMatchObject({ units: 1, percent: 0, syncLatencies: 0, floorPercent: 0 });
  expect(channels[1]!.buffer).toMatchObject({ units: 5, percent: 8, syncLatencies: 2, floorPercent: 50 });
});

test('without a rule nothing is withheld but from a channel that is away', () => {
  const { buffers } = load('');
  expect(buffers).toMatchObject({
    rule: 'none',
    units: 0,
    percent: 0,
    syncLatencies: 0,
    spikePercent: 0,
    stalePercent: 20,
  });
});

test.each([
  ['{ syncLatencies: -1 }', 'buffers.syncLatencies', '-1'],
  ['{ cancelPercent: often }', 'buffers.cancelPercent', '"often"'],
  ['{ confirmationSeconds: -5 }', 'buffers.confirmationSeconds', '-5'],
  ['{ rule: strict }', 'buffers.rule', '"strict"'],
  ['{ policies: 5 }', 'buffers.policies', 'a number'],
  ['{ policies: [5] }', 'buffers.policies[0]', '5'],
  ['{ policies: [{ units: 5 }] }', 'buffers.policies[0].name', 'nothing'],
  ['{ policies: [{ name: a, units: -1 }] }', 'buffers.policies[0].units', '-1'],
  ['{ policies: [{ name: a, unitts: 1 }] }', 'buffers.policies[0].unitts', 'nothing'],
  ['{ policies: [{ name: a, tag: t, sku: S }] }', 'buffers.policies[0].tag', '"t"'],
  ['{ policies: [{ name: a, channel: gone }] }', 'buffers.policies[0].channel', '"gone"'],
  ['{ policies: [{ name: a }, { name: a }] }', 'buffers.policies[1].name', '"a"'],
  [
    '{ policies: [{ name: a, windows: [{ from: tomorrow, to: 2026-11-27T07:00:00Z }] }] }',
    'buffers.policies[0].windows[0].from',
    '"tomorrow"',
  ],
  [
    '{ policies: [{ name: a, windows: [{ from: 2026-11-27T08:00:00Z, to: 2026-11-27T07:00:00Z }] }] }',
    'buffers.policies[0].windows[0].to',
    '"2026-11-27T07:00:00Z"',
  ],
])('buffers: %s is one fault at %s that found %s', (yaml, path, found) => {
  expect(faultsOf(() => load(`buffers: ${yaml}`))).toEqual([{ path, found, line: 1 }]);
});

test('a file of policies is read with every fault and its line, or whole', () => {
  const text = 'policies:\n  - { name: few, percent: 101 }\n  - { name: "", channel: shop }\n';
  expect(faultsOf(() => readPolicyFile(text, 'p.yaml'))).toEqual([
    { path: 'policies[0].percent', found: '101', line: 2 },
    { path: 'policies[1].name', found: '""', line: 3 },
  ]);
  expect(faultsOf(() => readPolicyFile('units: 5\n', 'p.yaml'))).toHaveLength(1);
  expect(readPolicyFile('policies: [{ name: few, rule: base, units: 3 }]', 'p.yaml')).toMatchObject([
    { name: 'few', settings: { units: 3, percent: 5, syncLatencies: 2 } },
  ]);
});
