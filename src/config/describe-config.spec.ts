import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeConfig } from './describe-config';
import { loadConfig } from './load-config';

const SECRET = 'hunter2-very-secret';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onhand-config-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function load(yaml: string, env: NodeJS.ProcessEnv = {}) {
  writeFileSync(join(folder, 'onhand.yaml'), yaml);
  return loadConfig({ env, cwd: folder });
}

test('a description is JSON that shows settings and hides secrets', () => {
  const yaml = [
    'database: { url: "postgres://u:hunter2-very-secret@db:5432/onhand?password=hunter2-very-secret" }',
    'channels:',
    '  - name: shop',
    "    plugin: '@acme/shop'",
    '    options:',
    '      url: "https://u:hunter2-very-secret@a.example/x"',
    '      clientSecret: hunter2-very-secret',
    '      auth: { user: u, pin: hunter2-very-secret }',
    '      free: "x ${S}"',
    '      pages: 3',
  ].join('\n');
  const key = Buffer.alloc(32, 'canary').toString('base64');
  const env = {
    S: SECRET,
    ONHAND_ADMIN_KEY: SECRET,
    ONHAND_SECRET_KEYS: key,
    REDIS_URL: `redis://:${SECRET}@cache`,
  };
  const config = load(yaml, env);
  expect(config.secretKeys).toEqual([key]);
  const text = JSON.stringify(describeConfig(config));
  expect(text).not.toContain(SECRET);
  expect(text).not.toContain(key);
  expect(JSON.parse(text)).toMatchObject({
    adminKey: '[hidden]',
    server: { port: 3000, publicUrl: null },
    database: { url: 'postgres://[hidden]@db:5432/onhand' },
    redis: { url: 'redis://[hidden]@cache' },
    channels: [
      { name: 'shop', options: { url: 'https://[hidden]@a.example/x', free: '[hidden]', pages: 3 } },
    ],
  });
  expect(JSON.stringify(config.channels[0]?.options)).toContain(SECRET);
});

test('a connection address whose password has an unescaped slash is hidden whole', () => {
  const config = load('database: { url: "postgres://u:12/hunter2-very-secret@db/onhand" }');
  expect(describeConfig(config).database).toMatchObject({ url: '[hidden]' });
});
