import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, type ConfigFault } from './config.errors';
import type { Config } from './config';
import { describeConfig } from './describe-config';
import { loadConfig } from './load-config';
import { namesEvent } from './receiver.config';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'onhand-receivers-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function load(yaml: string, env: Record<string, string> = {}): Config {
  const file = join(folder, 'onhand.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ file, env, cwd: folder });
}

function faults(yaml: string, env?: Record<string, string>): readonly ConfigFault[] {
  try {
    load(yaml, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

const receiver = (fields: string) => `receivers:\n  - { name: r, events: ["alert.*"], ${fields} }`;
const webhook = (fields = '') =>
  `receivers:\n  - { name: r, url: "https://a.example/h", secrets: [${SECRET}], events: ["*"]${fields} }`;
const MAIL = 'kind: email, to: [a@b.c], smtp: { host: h, from: o@h }';

test('receivers of each kind are read, and shown without secrets and without what follows an address', () => {
  const config = load(
    [
      'receivers:',
      '  - { name: erp, url: "https://erp.example/canary-path", secrets: ["${NEW}", "${OLD}"], events: [stock.changed] }',
      '  - { name: ops, kind: slack, url: "https://hooks.example/canary-path", events: ["alert.*"] }',
      '  - { name: mail, kind: email, to: [a@b.c], events: [alert.opened], smtp: { host: h, from: o@h, user: u, password: canary-pass } }',
    ].join('\n'),
    { NEW: SECRET, OLD: SECRET },
  );
  expect(config.receivers.map(({ kind, secrets }) => [kind, secrets.length])).toEqual([
    ['webhook', 2],
    ['slack', 0],
    ['email', 0],
  ]);
  const shown = JSON.stringify(describeConfig(config));
  expect(shown).toContain('https://erp.example/[hidden]');
  for (const canary of ['canary', SECRET]) expect(shown).not.toContain(canary);
});

test.each([
  [webhook(', kind: pigeon'), 'receivers[0].kind'],
  [webhook(', channels: [shop]'), 'receivers[0].channels[0]'],
  [webhook().replace('"*"', 'stock.chnaged'), 'receivers[0].events[0]'],
  [webhook().replace('["*"]', '[]'), 'receivers[0].events'],
  [webhook().replace('https', 'ftp'), 'receivers[0].url'],
  [webhook().replace(SECRET, ''), 'receivers[0].secrets'],
  [webhook().replace(SECRET, 'canary'), 'receivers[0].secrets[0]'],
  [webhook().replace(SECRET, 'whsec_c2hvcnQ='), 'receivers[0].secrets[0]'],
  [webhook().replace(SECRET, '{ a: 1 }'), 'receivers[0].secrets[0]'],
  [receiver('kind: slack'), 'receivers[0].url'],
  [receiver(MAIL.replace('to: [a@b.c]', 'to: []')), 'receivers[0].to'],
  [receiver(MAIL.replace('a@b.c', 'nobody')), 'receivers[0].to[0]'],
  [receiver(MAIL.replace('host: h, ', '')), 'receivers[0].smtp.host'],
  [receiver(MAIL.replace('from: o@h', 'port: 25')), 'receivers[0].smtp.from'],
  [receiver(MAIL.replace('host: h', 'host: h, user: u')), 'receivers[0].smtp'],
  [
    receiver(MAIL.replace('host: h', 'host: h, security: none, user: u, password: p')),
    'receivers[0].smtp.security',
  ],
  [
    `${webhook()}\n  - { name: r, kind: slack, url: "https://a.example", events: ["*"] }`,
    'receivers[1].name',
  ],
])('%s is refused at %s alone, and no secret is shown', (yaml, path) => {
  const found = faults(yaml);
  expect(found.map((fault) => fault.path)).toEqual([path]);
  expect(JSON.stringify(found)).not.toMatch(/canary|whsec_(AQ|c2h)/);
});

test('a pattern names one event, those of a kind, or all', () => {
  const named = ['stock.changed', 'alert.opened', 'alert.resolved'];
  const of = (pattern: string) => named.filter((event) => namesEvent(pattern, event));
  expect(of('alert.opened')).toEqual(['alert.opened']);
  expect(of('alert.*')).toEqual(['alert.opened', 'alert.resolved']);
  expect(of('*')).toEqual(named);
  expect(of('alert')).toEqual([]);
});
