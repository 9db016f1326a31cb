import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startSimulator } from '../../plugins/shopify/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { report } from '../../src/cli/doctor';
import type { Config } from '../../src/config/config';
import { loadConfig } from '../../src/config/load-config';
import { examine } from '../../src/doctor/doctor';
import type { Finding } from '../../src/doctor/finding';
import { examinePublicUrl } from '../../src/doctor/examine-host';
import {
  type DatabaseFacts,
  examineRedis,
  judgeDatabase,
  judgeRedis,
  judgeSkew,
} from '../../src/doctor/examine-stores';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { describeWithRedis, freePort, TestRedis } from '../support/redis';
import { execute } from '../support/test-server';

const SHOPIFY = join(__dirname, '../../plugins/shopify/shopify.plugin.ts');
const NO_SCOPES = ['read_products', 'read_locations', 'read_orders'];

/** What the command prints of a file of its own. */
describe('onhand doctor', () => {
  let folder: string;
  const shops: ChannelSimulator[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'onhand-doctor-'));
  });

  afterAll(async () => {
    for (const shop of shops) await shop.close();
    await rm(folder, { recursive: true });
  });

  async function shop(more: object = {}): Promise<ChannelSimulator> {
    const started = await startSimulator({
      webhookSecret: 'the-client-secret',
      token: 'shpat_of_ours',
      ...more,
    });
    shops.push(started);
    return started;
  }

  async function fileOf(config: object): Promise<string> {
    const file = join(folder, 'onhand.yaml');
    await writeFile(file, stringify({ outbound: { allow: ['127.0.0.1'] }, ...config }));
    return file;
  }

  async function doctor(config: object, json = false): Promise<{ out: string; code: unknown }> {
    const file = await fileOf(config);
    const out: string[] = [];
    const log = jest.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text));
    try {
      await report(examine(loadConfig({ file, env: {}, cwd: folder })), json);
      return { out: out.join('\n'), code: process.exitCode };
    } finally {
      process.exitCode = undefined;
      log.mockRestore();
    }
  }

  const channel = (name: string, options: object) => ({ name, plugin: SHOPIFY, options });

  test('says what is right with a channel, in a line for each, and ends with 0', async () => {
    const { pluginOptions } = await shop();
    const { out, code } = await doctor({ channels: [channel('shopify-uk', pluginOptions)] });
    const lines = out.split('\n');
    expect(lines.slice(0, 2)).toEqual([
      expect.stringMatching(/^✓ node: Node\.js \d+/),
      expect.stringMatching(/^✓ configuration: .*onhand\.yaml$/),
    ]);
    expect(out).toMatch(/\n✓ database: PostgreSQL is embedded/);
    expect(out).toMatch(/\n✓ plugins: not pinned, and loaded as they are: .*shopify/);
    expect(out).toMatch(/\n! webhooks: server\.publicUrl is not set[^\n]*\n {4}→ Set it to/);
    expect(lines.filter((line) => line.includes('shopify-uk'))).toEqual([
      expect.stringMatching(/^✓ shopify-uk: the shop Simulated answers/),
      expect.stringMatching(/^✓ shopify-uk: the app has every scope/),
      expect.stringMatching(/^✓ shopify-uk: orders of/),
      expect.stringMatching(/^✓ shopify-uk: the API answers in version 2026-07/),
      expect.stringMatching(/^✓ shopify-uk: locations to map/),
    ]);
    expect(code).toBeUndefined();
  });

  test('names each missing scope, a channel that cannot be loaded, and a database that is away; ends with 1', async () => {
    const { pluginOptions, wrongCredentials } = await shop({ scopes: NO_SCOPES });
    const { out, code } = await doctor(
      {
        database: { url: 'postgres://nobody@127.0.0.1:1/onhand' },
        channels: [
          channel('no-scopes', pluginOptions),
          channel('refused', { ...pluginOptions, ...wrongCredentials }),
          channel('misspelt', { ...pluginOptions, shopp: 'x' }),
          { name: 'gone', plugin: '@acme/gone', options: {} },
        ],
      },
      true,
    );
    const { ok, findings } = JSON.parse(out) as {
      ok: boolean;
      findings: Finding[];
    };
    const wrong = findings
      .filter((finding) => !finding.ok)
      .map(({ subject, message }) => `${subject}: ${message}`);
    expect([ok, code]).toEqual([false, 1]);
    expect(wrong).toEqual([
      expect.stringMatching(/^database: .*DATABASE_URL/),
      expect.stringMatching(/^no-scopes: the scope write_inventory is missing/),
      expect.stringMatching(/^no-scopes: the scope write_orders is missing/),
      expect.stringMatching(/^no-scopes: the scope read_returns is missing/),
      expect.stringMatching(/^refused: .*options\.auth/),
      expect.stringMatching(/^misspelt: [\s\S]*shopp/),
      expect.stringMatching(/^gone: .*@acme\/gone/),
    ]);
    expect(out).not.toContain('shpat_of_ours');
  });

  describe('of a database', () => {
    let database: TestDatabase;

    beforeAll(async () => {
      database = await createTestDatabase();
    });

    afterAll(() => database.drop());

    test('tells version, clock and migrations, and that one of a newer Onhand is none to be used', async () => {
      const config = { database: { url: database.url } };
      const fresh = await doctor(config);
      expect(fresh.out).toMatch(/✓ database: .* takes connections, PostgreSQL \d\d, [\d.]+ ms away/);
      expect(fresh.out).toMatch(/✓ clock: within 0\.\d s of the database's/);
      expect(fresh.out).toMatch(/✓ migrations: /);
      expect(fresh.code).toBeUndefined();
      await execute(
        database.url,
        `CREATE TABLE IF NOT EXISTS migrations (id serial, timestamp bigint, name text);
         INSERT INTO migrations (timestamp, name) VALUES (1, 'OfTomorrow1')`,
      );
      const newer = await doctor(config);
      expect(newer.out).toMatch(
        /✗ migrations: the database is of a newer Onhand[^\n]*OfTomorrow1\n {4}→ Install the newer/,
      );
      expect(newer.code).toBe(1);
    });
  });

  const FINE: DatabaseFacts = {
    version: 180_004,
    encoding: 'UTF8',
    fsync: 'on',
    fullPageWrites: 'on',
    synchronousCommit: 'on',
    readOnly: false,
    connections: 97,
    mayCreate: true,
    migrations: ['A1'],
    aheadMs: -12,
    answerMs: 0.4,
  };
  const judged = (facts: Partial<DatabaseFacts>, poolSize = 10) =>
    judgeDatabase({ ...FINE, ...facts }, { target: 'db', poolSize, known: ['A1'] }).filter(
      ({ level }) => level !== 'ok',
    );

  test('a database that is in order has no finding', () => {
    expect(judged({})).toEqual([]);
  });

  test.each([
    ['fault', 'is too old', { version: 130_009 }],
    ['fault', 'encoding is SQL_ASCII', { encoding: 'SQL_ASCII' }],
    ['fault', 'takes no writes', { readOnly: true }],
    ['warning', 'fsync is off', { fsync: 'off' }],
    ['warning', 'full_page_writes is off', { fullPageWrites: 'off' }],
    ['warning', 'synchronous_commit is off', { synchronousCommit: 'off' }],
    ['warning', 'allows 15 connections', { connections: 15 }],
    ['warning', 'answers after 45 ms', { answerMs: 45 }],
    ['warning', "database's clock is 61.0 s ahead of", { aheadMs: 61_000 }],
    ['fault', 'the user may make no tables', { migrations: [], mayCreate: false }],
  ] satisfies [string, string, Partial<DatabaseFacts>][])(
    'a %s: %s, with what to do',
    (level, told, facts) => {
      expect(judged(facts)).toEqual([
        expect.objectContaining({
          level,
          message: expect.stringContaining(told) as string,
          fix: expect.stringMatching(/\w/) as string,
        }),
      ]);
    },
  );

  test('a Redis that drops keys when it is full is warned of, and one that is away hurts nobody', async () => {
    const url = 'redis://:secret@127.0.0.1:1/0';
    expect(judgeRedis({ version: '7.0.15', policy: 'allkeys-lru', answerMs: 1 }, url)).toEqual([
      expect.objectContaining({ level: 'ok', message: expect.not.stringContaining('secret') as string }),
      expect.objectContaining({ level: 'warning', fix: expect.stringMatching(/noeviction/) as string }),
    ]);
    expect(judgeSkew('Redis', 10)).toMatchObject({ level: 'ok' });
    const { out, code } = await doctor({ redis: { url } });
    expect(out).toMatch(
      /! redis: redis:.*127\.0\.0\.1:1\/0 does not answer: .*ECONNREFUSED[^\n]*\n {4}→ Start it/,
    );
    expect(out).not.toContain('secret');
    expect(code).toBeUndefined();
  });

  describe('of the public address', () => {
    const answer: { status: number; text: string } = { status: 200, text: '' };
    const proxy = createServer((_request, response) => response.writeHead(answer.status).end(answer.text));
    const seen = async (publicUrl: string) =>
      examinePublicUrl(loadConfig({ file: await fileOf({ server: { publicUrl } }), env: {}, cwd: folder }));
    let url: string;

    beforeAll(async () => {
      proxy.listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      url = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`;
    });

    afterAll(() => {
      proxy.close();
      proxy.closeAllConnections();
    });

    test('an answer of Onhand is proof, though not encrypted; one of another is not, nor is none', async () => {
      Object.assign(answer, { status: 200, text: '{"status":"ok","version":"0.1.0"}' });
      expect(await seen(url)).toMatchObject({
        level: 'warning',
        message: expect.stringMatching(/answered by Onhand/) as string,
      });
      Object.assign(answer, { status: 200, text: '<html>parked</html>' });
      expect(await seen(url)).toMatchObject({
        level: 'fault',
        fix: expect.stringMatching(/reverse proxy/) as string,
      });
      expect(await seen(`http://127.0.0.1:${await freePort()}`)).toMatchObject({
        level: 'fault',
        message: expect.stringMatching(/nobody answers at .*\(ECONNREFUSED\)/) as string,
      });
    });
  });
});

describeWithRedis('onhand doctor of a Redis', () => {
  test('tells its version and how far it is', async () => {
    const redis = await TestRedis.start();
    try {
      const found = await examineRedis({ redis: { url: redis.url } } as Config);
      expect(found).toEqual([
        expect.objectContaining({ level: 'ok', message: expect.stringMatching(/Redis \d+\.\d+/) as string }),
      ]);
    } finally {
      await redis.remove();
    }
  });
});
