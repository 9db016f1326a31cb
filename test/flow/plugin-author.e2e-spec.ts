import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CaseResult } from '../../src/channel-api/testing';
import { temporaryFolder } from '../support/test-server';

const ROOT = resolve(__dirname, '../..');
const BIN = join(ROOT, 'bin/onhand.js');

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function run(file: string, args: string[], cwd: string): Promise<Ended> {
  return new Promise((resolveEnded) => {
    // Jest's own settings must not reach a test runner that is started inside of it.
    const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
    execFile(file, args, { cwd, env, maxBuffer: 50_000_000 }, (error, stdout, stderr) =>
      resolveEnded({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const onhand = (cwd: string, ...args: string[]) => run(process.execPath, [BIN, ...args], cwd);

interface Checked {
  plugin: string;
  passed: number;
  failed: number;
  skipped: number;
  cases: CaseResult[];
}

async function check(folder: string, only = ''): Promise<Checked & { code: number }> {
  const { code, stdout, stderr } = await onhand(folder, 'plugins', 'check', '--json', '--only', only);
  if (!stdout.startsWith('{')) throw new Error(`no JSON: ${stdout}${stderr}`);
  return { code, ...(JSON.parse(stdout) as Checked) };
}

let place: string;
let plugin: string;

beforeAll(async () => {
  place = await temporaryFolder();
  await onhand(place, 'plugins', 'create', '@me/onhand-corner-shop');
  plugin = join(place, 'onhand-corner-shop');
});

afterAll(() => rm(place, { recursive: true, force: true }));

describe('a plugin just created', () => {
  test('has its own name in files and text, and nothing of the one it was copied from', async () => {
    const files = readdirSync(plugin, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && !entry.parentPath.includes('node_modules'),
    );
    expect(files.map((entry) => entry.name)).toEqual(
      expect.arrayContaining(['corner-shop.plugin.js', 'corner-shop.client.js', 'package.json', 'index.js']),
    );
    for (const { parentPath, name } of files) {
      const text = await readFile(join(parentPath, name), 'utf8');
      expect(`${name} ${text}`).not.toMatch(/sample.?shop/i);
    }
    const manifest = JSON.parse(await readFile(join(plugin, 'package.json'), 'utf8')) as { name: string };
    expect(manifest.name).toBe('@me/onhand-corner-shop');
  });

  test('passes the contract suite at once, and what it cannot do is shown as skipped', async () => {
    const checked = await check(plugin);
    expect(checked.cases.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(checked).toMatchObject({ code: 0, plugin: 'corner-shop', failed: 0, skipped: 4 });
    expect(checked.passed).toBeGreaterThan(80);
    expect(
      new Set(checked.cases.flatMap(({ outcome, reason }) => (outcome === 'skipped' ? [reason] : []))),
    ).toEqual(new Set(['capabilities.compareAndSet is false', 'capabilities.stockByLocation is false']));
  });

  test('passes it as tests of its own, with nothing but Node', async () => {
    const { code, stdout } = await run(process.execPath, ['--test'], plugin);
    expect(stdout).toMatch(/# fail 0/);
    expect(stdout).toMatch(/# skipped 4/);
    expect(code).toBe(0);
  });

  test('has types that fit the contract', async () => {
    const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    expect(await run(process.execPath, [tsc, '-p', 'jsconfig.json', ...types], plugin)).toMatchObject({
      code: 0,
      stdout: '',
    });
  });
});

describe('plugins create', () => {
  test.each([
    ['Corner Shop', /cannot name a plugin; use lower-case letters/],
    ['../corner', /cannot name a plugin/],
    ['onhand-corner-shop', /is there already and not empty/],
  ])('%s is refused, and nothing is written', async (name, says) => {
    const before = readdirSync(place);
    const { code, stderr } = await onhand(place, 'plugins', 'create', name);
    expect(code).toBe(1);
    expect(stderr).toMatch(says);
    expect(readdirSync(place)).toEqual(before);
  });

  test('a plugin created where Onhand is found by Node gets no link', async () => {
    const below = join(ROOT, 'data/plugin-author-test');
    await mkdir(below, { recursive: true });
    try {
      await onhand(below, 'plugins', 'create', 'acme');
      const manifest = JSON.parse(await readFile(join(below, 'acme/package.json'), 'utf8')) as object;
      expect(manifest).not.toHaveProperty('devDependencies');
      expect(readdirSync(join(below, 'acme'))).not.toContain('node_modules');
      expect(await check(join(below, 'acme'))).toMatchObject({ code: 0, failed: 0 });
    } finally {
      await rm(below, { recursive: true, force: true });
    }
  });
});

describe('plugins check', () => {
  test('prints each case under its group, and what is wrong with it', async () => {
    const broken = await copyWith(
      'plain',
      'corner-shop.plugin.js',
      'quantity: quantityUnits',
      'quantity: quantityUnits || 1',
    );
    const { code, stdout, stderr } = await onhand(broken, 'plugins', 'check', '.');
    expect(stdout).toMatch(
      /^corner-shop 0\.1\.0, channel API \^1\.0\.0\n\nwhat the plugin says of itself\n {2}✓ /,
    );
    expect(stdout).toContain(
      [
        '  ✗ zero is pushed like any other quantity',
        '      A pushed quantity is an absolute, and what the channel shows: SKU-1 shows 1 where 0 was pushed.',
      ].join('\n'),
    );
    expect(stdout).toContain('(skipped: capabilities.compareAndSet is false)');
    expect(stdout).toMatch(/\n\d+ passed, 1 failed, 4 skipped\n$/);
    expect(stderr).toContain('each failure says which rule');
    expect(code).toBe(1);
  });

  test('an installed package is checked by its name', async () => {
    const { code, stdout } = await onhand(ROOT, 'plugins', 'check', '@onhand/generic-rest', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ plugin: 'generic-rest', failed: 0 });
    expect(code).toBe(0);
  });

  test('one case can be run by itself; a text that no case has is told', async () => {
    const { cases } = await check(plugin, 'pushes: zero');
    expect(cases.map(({ name }) => name)).toEqual(['zero is pushed like any other quantity']);
    const none = await onhand(plugin, 'plugins', 'check', '--only', 'zeroes');
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('"zeroes"') as string });
  });

  test.each([
    ['a folder that holds no plugin', async () => place, /has no module to load; check that it is built/],
    ['a package that nobody has', async () => '@nobody/nothing', /cannot be found/],
    [
      'a plugin without a simulator',
      () => copyWith('no-simulator', 'package.json', '"./simulator": "./simulator/index.js",', ''),
      /has no simulator that can be found: its package\.json exports none as "\.\/simulator"/,
    ],
    [
      'a plugin that throws when it is loaded',
      () =>
        copyWith(
          'throws',
          'corner-shop.limits.js',
          'export function',
          'throw new Error("not today");\nexport function',
        ),
      /throws when loaded: not today/,
    ],
  ])('%s is named with its reason', async (_, target, says) => {
    const { code, stdout, stderr } = await onhand(place, 'plugins', 'check', await target());
    expect(stdout).toBe('');
    expect(stderr).toMatch(says);
    expect(code).toBe(1);
  });
});

/** A copy of the created plugin in which one thing is different. */
async function copyWith(name: string, file: string, from: string, to: string): Promise<string> {
  const folder = join(place, `planted-${name}`);
  await cp(plugin, folder, { recursive: true, verbatimSymlinks: true });
  const path = join(folder, file);
  const text = await readFile(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)} to replace`);
  await writeFile(
    path,
    text.replace(from, () => to),
  );
  return folder;
}

interface Planted {
  bug: string;
  file: 'plugin' | 'client' | 'webhook' | 'translate' | 'limits' | 'options';
  from: string;
  to: string;
  /** One case that has to fail; others may. */
  caught: string;
}

const PLANTED: Planted[] = [
  {
    bug: 'ids are read with JSON.parse',
    file: 'client',
    from: 'const body = response.json();',
    to: 'const body = JSON.parse(response.text);',
    caught: 'ids beyond 2^53 are told apart to the last digit',
  },
  {
    bug: 'the signature is computed over a body written anew',
    file: 'webhook',
    from: '.update(request.body)',
    to: '.update(JSON.stringify(JSON.parse(request.body.toString())))',
    caught: 'a webhook whose body has been written anew is refused',
  },
  {
    bug: 'signatures of another length are compared',
    file: 'webhook',
    from: 'given.length === expected.length && ',
    to: '',
    caught: 'a webhook with a truncated signature is refused',
  },
  {
    bug: 'only the beginning of a signature is compared',
    file: 'webhook',
    from: 'given.length === expected.length && timingSafeEqual(given, expected)',
    to: 'given.length > 0 && expected.toString().startsWith(given.toString())',
    caught: 'a webhook with a truncated signature is refused',
  },
  {
    bug: 'the previous secret is not tried',
    file: 'webhook',
    from: 'previousWebhookSecret ?? webhookSecret',
    to: 'webhookSecret',
    caught: 'while a secret is changed over, both are accepted and no third one is',
  },
  {
    bug: 'a revision is the time of reading',
    file: 'translate',
    from: "revision: count(order.version, 'version')",
    to: 'revision: Math.round(performance.now() * 1000)',
    caught:
      'webhooks that are duplicated and out of order translate to the same documents, whose revisions restore the order',
  },
  {
    bug: 'a bad row ends the page',
    file: 'translate',
    from: 'if (!(error instanceof UntranslatableError)) throw error;',
    to: 'throw error;',
    caught: 'a row that the channel does not document is set aside, and costs no other',
  },
  {
    bug: 'an error quotes the body',
    file: 'translate',
    from: 'throw new UntranslatableError(`${name} must be an ISO 8601 time`);',
    to: 'throw new UntranslatableError(`${name} must be an ISO 8601 time, not ${JSON.stringify(value)}; a-line-of-the-buyer`);',
    caught: 'an order that the channel does not document is untranslatable, and the message quotes no body',
  },
  {
    bug: 'cursors are not heeded',
    file: 'client',
    from: 'let after = cursor;',
    to: 'let after = cursor && undefined;',
    caught: 'a cursor goes on with a read that broke off',
  },
  {
    bug: 'the time since when is not heeded',
    file: 'plugin',
    from: 'const query = since === undefined ? {} : { changed_since: since };',
    to: 'const query = {};',
    caught: 'a read since a time gives the orders changed since, and no others',
  },
  {
    bug: 'a push is taken for applied whatever was answered',
    file: 'client',
    from: "const { results } = await this.json('PUT', '/v1/stock', { rows });",
    to: "await this.send('PUT', '/v1/stock', { rows });\n    const results = rows.map(() => ({ status: 'ok' }));",
    caught: 'an HTML page under 200 is a protocol error, for pushes and reads',
  },
  {
    bug: 'what was pushed is remembered and read back',
    file: 'plugin',
    from: 'connect: (options, host) => new CornerShopChannel(options, host),',
    to: `connect: (options, host) => {
    const channel = new CornerShopChannel(options, host);
    const [push, read] = [channel.pushInventory.bind(channel), channel.readInventory.bind(channel)];
    const pushed = new Map();
    channel.pushInventory = async (updates) => {
      for (const { channelSku, quantityUnits } of updates) pushed.set(channelSku, quantityUnits);
      return push(updates);
    };
    channel.readInventory = async function* (query) {
      for await (const page of read(query)) {
        for (const item of page.items) item.quantityUnits = pushed.get(item.channelSku) ?? item.quantityUnits;
        yield page;
      }
    };
    return channel;
  },`,
    caught: 'a push that the channel only claims to have applied is seen in the next read',
  },
  {
    bug: 'every refusal may be tried again',
    file: 'plugin',
    from: 'retryable: status === undefined',
    to: 'retryable: true',
    caught: 'one bad row in a full batch costs that row only',
  },
  {
    bug: 'each attempt to cancel has a key of its own',
    file: 'plugin',
    from: 'key: cancelId,',
    to: 'key: `${cancelId}-${Math.random()}`,',
    caught: 'a cancellation whose answer was lost is known to be done when it is repeated',
  },
  {
    bug: 'a cancellation that is decided later is called done',
    file: 'plugin',
    from: "return { outcome: 'pending', receipt: answer.receipt };",
    to: "return { outcome: 'cancelled' };",
    caught: 'a channel that decides later gives pending, not cancelled',
  },
  {
    bug: 'subscribe does nothing',
    file: 'plugin',
    from: 'await this.client.subscribe(url);',
    to: 'void url;',
    caught: 'subscribe(url) has the channel send its webhooks there, and once however often it is called',
  },
  {
    bug: 'check() finds nothing wrong',
    file: 'plugin',
    from: 'return { ok: false, findings: [{ ok: false, message: error.message }] };',
    to: "return { ok: true, findings: [{ ok: true, message: 'fine' }] };",
    caught: 'wrong credentials are found and told, without a secret',
  },
  {
    bug: 'a call is made past host.http',
    file: 'client',
    from: "const { name } = await this.json('GET', '/v1/account');",
    to: 'const headers = { authorization: `Bearer ${this.token}` };\n    const { name } = await (await fetch(`${this.base}/v1/account`, { headers })).json();',
    caught: 'every call goes through host.http, under a limit that the plugin declares',
  },
  {
    bug: 'errors are wrapped in ones that say nothing',
    file: 'plugin',
    from: 'await this.client.setStock(rows);',
    to: "await this.client.setStock(rows).catch(() => {\n      throw new Error('the shop does not answer');\n    });",
    caught: 'a 503 is unavailability, and nothing was applied',
  },
  {
    bug: 'a secret is logged',
    file: 'plugin',
    from: 'this.options = options;',
    to: "this.options = options;\n    host.log.info('connecting', { ...options });",
    caught: 'a pushed quantity is what the channel shows',
  },
  {
    bug: 'a secret is not named',
    file: 'plugin',
    from: '[options.token, options.webhookSecret,',
    to: '[options.token,',
    caught: 'the secrets among its options are named',
  },
  {
    bug: 'an option takes anything',
    file: 'options',
    from: 'token: [IsString(), MinLength(8)]',
    to: 'token: [IsOptional()]',
    caught: 'an option of the wrong type is refused by its name, without its value',
  },
  {
    bug: 'the limit of the options is not kept',
    file: 'limits',
    from: 'perSecond: callsPerSecond, burst',
    to: 'perSecond: callsPerSecond * 100, burst: burst * 100',
    caught: "the channel's own log shows no limit broken, however many calls are made at once",
  },
  {
    bug: 'a capability is promised that is not there',
    file: 'plugin',
    from: 'cancelsOrders: true',
    to: 'cancelsOrders: false',
    caught: 'the channel has the members that its capabilities name, and no others',
  },
];

describe('a planted bug', () => {
  test.each(PLANTED)('$bug: caught', async ({ bug, file, from, to, caught }) => {
    const folder = await copyWith(bug.replace(/\W+/g, '-'), `corner-shop.${file}.js`, from, to);
    const { code, cases } = await check(folder, caught);
    expect(cases.filter(({ outcome, name }) => outcome === 'failed' && name === caught)).not.toEqual([]);
    // A rule of the contract as a sentence, not an error from somewhere within.
    const failed = cases.filter(({ outcome }) => outcome === 'failed');
    const rules = failed.map(({ reason = '' }) => reason.split('\n')[0] ?? '');
    expect(rules.filter((rule) => !/^\w.* .*\.$/.test(rule))).toEqual([]);
    expect(code).toBe(1);
  });
});
