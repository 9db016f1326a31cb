import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { type EbaySimulator, startSimulator } from '../../plugins/ebay/simulator';
import { addAuthorizeCommand } from '../../src/cli/authorize';
import { addSecretCommands } from '../../src/cli/secrets';
import { loadConfig } from '../../src/config/load-config';
import { examine } from '../../src/doctor/doctor';
import type { Finding } from '../../src/doctor/finding';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { ADMIN_KEY, startTestHost, type TestHost } from '../support/host';
import { listingsCsv } from '../support/shop-host';
import { temporaryFolder } from '../support/test-server';

const PLUGIN = join(__dirname, '../../plugins/ebay/ebay.plugin.ts');
const AUTHORIZATION = '/v1/channels/ebay/authorization';
const newKey = () => randomBytes(32).toString('base64');
const [OLD, NEW] = [newKey(), newKey()];

interface Standing {
  consentUrl: string;
  given: boolean;
  endsAt: string | null;
}

interface Told {
  keys: string[];
  items: { channel: string; name: string; keyId: string }[];
}

let database: TestDatabase;
let ebay: EbaySimulator;
const hosts: TestHost[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  ebay = await startSimulator({ webhookSecret: 'unused' });
  ebay.list([{ channelSku: 'A', quantityUnits: 0 }]);
});

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

afterAll(async () => {
  await ebay.close();
  await database.drop();
});

function settings(name = 'ebay') {
  const { refreshToken: _, webhook: __, ...options } = ebay.pluginOptions as Record<string, unknown>;
  return {
    name,
    plugin: PLUGIN,
    options: { ...options, ruName: 'Acme-RuName' },
    listings: listingsCsv([['A', 'A', 1]]),
  };
}

async function start(keys: string[]): Promise<TestHost> {
  const env: Record<string, string> = keys.length > 0 ? { ONHAND_SECRET_KEYS: keys.join(',') } : {};
  const host = await startTestHost({ channels: [settings()] }, { database, env });
  hosts.push(host);
  return host;
}

const consent = async ({ api }: TestHost) =>
  ebay.consent((await api.get<Standing>(AUTHORIZATION)).body.consentUrl);

async function stored(): Promise<string> {
  const dataSource = await database.dataSource();
  const [{ text }] = await dataSource.query(
    `SELECT string_agg(s::text || encode(sealed, 'escape'), ' ') AS text FROM channel_secrets s`,
  );
  return text;
}

describe('a channel whose seller has to consent', () => {
  test('without a key nothing is sent, and the variable is named', async () => {
    const host = await start([]);
    const { status, body } = await host.api.post(AUTHORIZATION, { answer: await consent(host) });
    expect({ status, body }).toMatchObject({
      status: 502,
      body: { code: 'channel-request', detail: expect.stringContaining('set ONHAND_SECRET_KEYS') as string },
    });
    expect(ebay.tokensIssued).toEqual([]);
  });

  test.each([
    ['https://signin.ebay.com/x?state=ebay&isAuthSuccessful=false&error=access_denied', /was not given/],
    ['https://signin.ebay.com/x?state=ebay', /has no code/],
    [
      'https://signin.ebay.com/x?state=other&code=abc',
      /of the consent for .*other.*; give it to that channel/,
    ],
    ['', /answer/],
  ])('an answer that is none is refused by what is wrong with it: %s', async (answer, words) => {
    const host = hosts[0] ?? (await start([OLD]));
    const { status, body } = await host.api.post(AUTHORIZATION, { answer });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toMatch(words);
  });

  test('two hosts that are handed the answer at once exchange it once, and both push from then on', async () => {
    const [one, two] = [await start([OLD]), await start([OLD])];
    expect((await one.api.get<Standing>(AUTHORIZATION)).body).toMatchObject({ given: false, endsAt: null });
    const answer = await consent(one);
    const answers = await Promise.all([one, two].map(({ api }) => api.post(AUTHORIZATION, { answer })));
    expect(answers.map(({ status }) => status)).toContain(200);
    // A third time, with the code as it stands in the address.
    const code = /code=([^&]+)/.exec(answer)![1]!;
    const again = await two.api.post<Standing>(AUTHORIZATION, { answer: code });
    expect(again).toMatchObject({ status: 200, body: { given: true } });
    expect(Date.parse(again.body.endsAt!)).toBeGreaterThan(Date.now() + 500 * 86_400_000);
    expect(ebay.codesSentAgain).toBe(0);
    expect(ebay.tokensIssued.filter(({ grant }) => grant === 'authorization_code')).toHaveLength(1);
    await one.api.post('/v1/skus', { sku: 'A' });
    await one.api.post('/v1/events', { type: 'RESTOCK', sku: 'A', quantity: 7 });
    await eventually(() => expect(ebay.shown().get('A')).toBe(7));
  });

  test('a code that has expired is refused clearly, and the consent before it holds', async () => {
    const host = await start([OLD]);
    const late = ebay.consent((await host.api.get<Standing>(AUTHORIZATION)).body.consentUrl, 0);
    const { status, body } = await host.api.post(AUTHORIZATION, { answer: late });
    expect({ status, body }).toMatchObject({
      status: 502,
      body: {
        code: 'channel-unauthorized',
        detail: expect.stringContaining('older than five minutes') as string,
      },
    });
    expect((await host.api.get<Standing>(AUTHORIZATION)).body.given).toBe(true);
  });

  test('what it was given stands nowhere in the database, and in no answer', async () => {
    const host = await start([OLD]);
    const told = await host.api.get<Told>('/v1/secrets');
    expect(told.body.items).toMatchObject([{ channel: 'ebay', name: 'consent' }]);
    for (const text of [await stored(), JSON.stringify(told.body)]) {
      expect(text).not.toContain('v^1.1');
      expect(text).not.toContain('refreshToken');
      expect(text).not.toContain(OLD);
    }
  });

  test('doctor reads the consent without a host', async () => {
    const folder = await temporaryFolder();
    const { listings: _, ...channel } = settings();
    const file = join(folder, 'onhand.yaml');
    await writeFile(file, stringify({ channels: [channel], outbound: { allow: ['127.0.0.1'] } }));
    const findings: Finding[] = [];
    const env = { DATABASE_URL: database.url, ONHAND_SECRET_KEYS: OLD };
    for await (const each of examine(loadConfig({ file, env, cwd: folder }))) findings.push(each);
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(findings.map(({ message }) => message).join()).toMatch(/consent ends in 54\d days/);
  });
});

describe('on the command line', () => {
  /** What the commands print; `paste` answers what stands on standard error with the line that is pasted. */
  async function onhand(host: TestHost, words: string[], paste: (news: string) => string = () => '') {
    const said = { out: [] as string[], news: [] as string[] };
    const input = new PassThrough();
    const log = jest.spyOn(console, 'log').mockImplementation((text: string) => void said.out.push(text));
    const error = jest.spyOn(console, 'error').mockImplementation((text: string) => {
      said.news.push(text);
      if (text.startsWith('Then paste')) input.end(`${paste(said.news.join(' '))}\n`);
    });
    try {
      const program = new Command('onhand').exitOverride();
      addAuthorizeCommand(program, input);
      addSecretCommands(program);
      await program.parseAsync([...words, '--url', host.url, '--api-key', ADMIN_KEY], { from: 'user' });
      return { out: said.out.join('\n'), news: said.news.join('\n'), code: process.exitCode };
    } finally {
      process.exitCode = undefined;
      log.mockRestore();
      error.mockRestore();
    }
  }

  test('`authorize` shows where to consent and takes what came back; `secrets` tells what is kept', async () => {
    const host = await start([OLD]);
    const agree = (news: string) => ebay.consent(/https:\/\/auth\.ebay\.com\S+/.exec(news)![0]);
    const done = await onhand(host, ['authorize', 'ebay'], agree);
    expect(done.out).toMatch(/^ebay is signed in to until 20\d\d-\d\d-\d\d\.$/);
    const nothing = await onhand(host, ['authorize', 'ebay']);
    expect([nothing.code, nothing.news]).toEqual([1, expect.stringContaining('nothing was pasted')]);
    expect((await onhand(host, ['secrets', 'list'])).out).toMatch(/ebay +consent +[0-9a-f]{8} +20\d\d-/);
    expect((await onhand(host, ['secrets', 'rotate'])).out).toMatch(/^Sealed 0 with the key [0-9a-f]{8}\.$/);
  });
});

describe('rotating the keys', () => {
  test('goes from the old key to the new one without a moment in which a host cannot sign in', async () => {
    const idOf = async (host: TestHost) => (await host.api.get<Told>('/v1/secrets')).body;
    const [before, both] = [await start([OLD]), await start([OLD, NEW])];
    const given = async (host: TestHost) => (await host.api.get<Standing>(AUTHORIZATION)).body.given;
    const [old] = (await idOf(before)).keys;
    const turned = await start([NEW, OLD]);
    expect([await given(before), await given(both), await given(turned)]).toEqual([true, true, true]);
    expect((await turned.api.post('/v1/secrets/rotate')).body).toMatchObject({ resealed: 1, unopened: [] });
    expect((await turned.api.post('/v1/secrets/rotate')).body).toMatchObject({ resealed: 0, unopened: [] });
    expect((await idOf(turned)).items.map(({ keyId }) => keyId)).not.toContain(old);
    const after = await start([NEW]);
    expect(await given(after)).toBe(true);
    expect(await given(both)).toBe(true);
  });

  test('a host with the old key alone says which variable lacks which key, and no key', async () => {
    const host = await start([OLD]);
    const { status, body } = await host.api.get(AUTHORIZATION);
    expect({ status, body }).toMatchObject({
      status: 502,
      body: { detail: expect.stringMatching(/add the key [0-9a-f]{8} to ONHAND_SECRET_KEYS/) as string },
    });
    expect(JSON.stringify(body)).not.toContain(OLD);
    const rotated = await host.api.post('/v1/secrets/rotate');
    expect(rotated.body).toMatchObject({ resealed: 0, unopened: [{ channel: 'ebay', name: 'consent' }] });
  });

  test('a sealed secret that was altered does not open', async () => {
    const host = await start([NEW]);
    await host.dataSource.query(
      `UPDATE channel_secrets SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) WHERE channel = 'ebay'`,
    );
    const { body } = await host.api.get(AUTHORIZATION);
    expect(body).toMatchObject({ detail: expect.stringContaining('was altered') as string });
  });
});
