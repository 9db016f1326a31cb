import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { parse } from 'yaml';
import { addInitCommand, init, type InitFlags } from '../../src/cli/init';
import { loadConfig } from '../../src/config/load-config';

const plugin = (name: string, file = name) => join(__dirname, `../../plugins/${name}/${file}.plugin.ts`);
const SHOPIFY = plugin('shopify');
const REST = plugin('generic-rest');

describe('onhand init', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'onhand-init-'));
  });

  afterEach(async () => {
    process.exitCode = undefined;
    await rm(folder, { recursive: true });
  });

  const file = () => join(folder, 'onhand.yaml');
  const written = () => readFile(file(), 'utf8');
  const variables = () => readFile(join(folder, '.env.example'), 'utf8');

  async function onhand(...words: string[]): Promise<{ said: string; code: unknown }> {
    const said: string[] = [];
    const log = jest.spyOn(console, 'log').mockImplementation((text: string) => void said.push(text));
    const error = jest.spyOn(console, 'error').mockImplementation((text: string) => void said.push(text));
    try {
      const program = new Command('onhand').exitOverride();
      addInitCommand(program);
      await program.parseAsync(['init', '--file', file(), ...words], { from: 'user' });
      return { said: said.join('\n'), code: process.exitCode };
    } finally {
      process.exitCode = undefined;
      log.mockRestore();
      error.mockRestore();
    }
  }

  test('without questions writes what its flags say, each option under what its class says of it', async () => {
    const { said, code } = await onhand(
      ...['--yes', '--channel', `uk=${SHOPIFY}`, '--channel', `rest=${REST}`],
      ...['--set', 'uk.shop=acme.myshopify.com', '--set', 'rest.baseUrl=https://shop.example'],
      ...['--set', 'rest.limit.perSecond=4', '--public-url', 'https://stock.example'],
    );
    expect(code).toBeUndefined();
    expect(said).toMatch(/Wrote .*onhand\.yaml[^]*Next: copy \.env\.example[^]*onhand doctor/);
    const text = await written();
    expect(text).toMatch(/# The shop's own host name, whatever domain its customers see\.\n +shop: acme/);
    expect(text).toMatch(
      /# What a listing's channel SKU is in the shop\. One of sku, barcode\.\n +# mapBy: sku/,
    );
    const { channels, server } = parse(text) as {
      channels: { options: object; mode: string }[];
      server: object;
    };
    expect(server).toEqual({ publicUrl: 'https://stock.example' });
    expect(channels.map(({ mode }) => mode)).toEqual(['observe', 'observe']);
    expect(channels[1]!.options).toMatchObject({
      limit: { perSecond: 4 },
      webhook: { secret: '${REST_WEBHOOK_SECRET}' },
    });
    expect(await variables()).toMatch(/\nUK_AUTH_CLIENT_SECRET=\nUK_WEBHOOK_SECRETS=\n/);
  });

  test('a value that the plugin calls a secret is a variable, and not in the file', async () => {
    await onhand(
      ...['--yes', '--channel', `rest=${REST}`, '--set', 'rest.baseUrl=https://shop.example'],
      ...[
        '--set',
        'rest.auth.kind=basic',
        '--set',
        'rest.auth.username=us',
        '--set',
        'rest.auth.password=hunter22',
      ],
    );
    expect(await written()).toMatch(/password: "\$\{REST_AUTH_PASSWORD\}"/);
    expect((await written()) + (await variables())).not.toContain('hunter22');
  });

  test('without a channel the file is one that a host starts with', async () => {
    await onhand('--yes');
    expect(loadConfig({ file: file(), env: {}, cwd: folder })).toMatchObject({
      channels: [],
      database: { url: null },
    });
  });

  test('what is missing is told as flags, with exit code 2, and nothing is written', async () => {
    const { said, code } = await onhand('--yes', '--channel', `uk=${SHOPIFY}`);
    expect(said).toMatch(
      /The channel uk needs more:\n {2}--set uk\.shop=… {3}must be the shop's own host name/,
    );
    expect(code).toBe(2);
    await expect(written()).rejects.toThrow(/ENOENT/);
  });

  test('what is there is not overwritten unasked', async () => {
    await writeFile(file(), 'mine');
    const { said, code } = await onhand('--yes');
    expect([said, code]).toEqual([expect.stringMatching(/onhand\.yaml exists; --force overwrites it/), 2]);
    expect(await written()).toBe('mine');
    await onhand('--yes', '--force');
    expect(await written()).toMatch(/^# Written by/);
  });

  test('asks for what the plugin needs, again where an answer does not do, and never for a secret', async () => {
    const answers = ['https://stock.example', 'no', 'uk', SHOPIFY, 'acme', 'acme.myshopify.com', ''];
    const asked: string[] = [];
    const ask = (question: string, fallback?: string) => {
      asked.push(question);
      return Promise.resolve(answers.shift() ?? fallback ?? '');
    };
    const news = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      const flags: InitFlags = { file: file(), channel: [], set: new Map() };
      await init(flags, ask);
      expect(news.mock.calls.join('\n')).toMatch(/ {2}shop must be the shop's own host name/);
    } finally {
      news.mockRestore();
      log.mockRestore();
    }
    expect(asked.filter((question) => question.includes('shop:'))).toHaveLength(2);
    expect(asked.join('\n')).not.toMatch(/secret|token/i);
    expect(await written()).toMatch(/shop: acme\.myshopify\.com/);
  });
});
