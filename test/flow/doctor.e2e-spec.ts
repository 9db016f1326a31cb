import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startSimulator } from '../../plugins/shopify/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { report } from '../../src/cli-doctor';
import { loadConfig } from '../../src/config/load-config';
import { examine } from '../../src/doctor';

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

  async function doctor(config: object, json = false): Promise<{ out: string; code: unknown }> {
    const file = join(folder, 'onhand.yaml');
    await writeFile(file, stringify({ outbound: { allow: ['127.0.0.1'] }, ...config }));
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
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^✓ database: PostgreSQL is embedded/),
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
      findings: { subject: string; ok: boolean; message: string }[];
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
});
