import nock from 'nock';
import { memorySecrets } from 'onhand/channel-api';
import { failureOf, networkOff } from 'onhand/channel-api/testing';
import { API, connectEbay, NOW, token } from './ebay.fixtures';

const TOKEN = '/identity/v1/oauth2/token';
const RU_NAME = 'Acme_Ltd-AcmeStock-PRD-a1b2c3';
const CODE = 'v^1.1#i^1#p^3#t^H4sI+/code';
const EIGHTEEN_MONTHS = 47_304_000;
const DAY_MS = 86_400_000;
const OPTIONS = { refreshToken: undefined, ruName: RU_NAME };

networkOff(nock);

type Form = Record<string, string>;

/** eBay's answer to one exchange of a code. */
function exchanges(code = CODE, refreshToken = 'given') {
  return nock(API)
    .post(TOKEN, { grant_type: 'authorization_code', code, redirect_uri: RU_NAME })
    .basicAuth({ user: 'app', pass: 'cert' })
    .reply(200, {
      ...token('first'),
      refresh_token: refreshToken,
      refresh_token_expires_in: EIGHTEEN_MONTHS,
    });
}

function refreshes(refreshToken: string, access = 'user-token') {
  nock(API)
    .post(TOKEN, (form: Form) => form.refresh_token === refreshToken)
    .reply(200, token(access));
}

function answersWith(access: string) {
  nock(API, { reqheaders: { authorization: `Bearer ${access}` } })
    .get('/sell/fulfillment/v1/order/1')
    .reply(404, {});
}

const connect = (secrets = memorySecrets(), more: object = {}) =>
  connectEbay({ ...OPTIONS, ...more }, secrets);

test('the address of the consent has the RuName, the scopes and what tells one channel from another', async () => {
  const { channel } = await connect(memorySecrets(), { scopes: ['https://a/one', 'https://a/two'] });
  expect(channel.authorization!.consentUrl('ebay-uk')).toBe(
    'https://auth.ebay.com/oauth2/authorize?client_id=app&redirect_uri=Acme_Ltd-AcmeStock-PRD-a1b2c3' +
      '&response_type=code&scope=https%3A%2F%2Fa%2Fone%20https%3A%2F%2Fa%2Ftwo&state=ebay-uk&prompt=login',
  );
  const sandbox = await connect(memorySecrets(), { environment: 'sandbox' });
  expect(sandbox.channel.authorization!.consentUrl('x')).toMatch('https://auth.sandbox.ebay.com/');
});

test('a code is exchanged once, and what it gave outlives the process; the code itself is not kept', async () => {
  const kept = new Map<string, string>();
  const { channel, host } = await connect(memorySecrets(kept));
  expect(await failureOf(channel.readOrder!('1'))).toMatchObject({
    code: 'channel-unauthorized',
    message: expect.stringContaining('onhand authorize ebay') as string,
  });
  expect(await channel.authorization!.standing()).toEqual({ isGiven: false });
  exchanges();
  await channel.authorization!.accept(CODE);
  answersWith('first');
  await channel.readOrder!('1');
  const standing = { isGiven: true, endsAt: new Date(NOW + EIGHTEEN_MONTHS * 1000) };
  expect(await channel.authorization!.standing()).toEqual(standing);
  expect(JSON.stringify([...kept, ...host.logged])).not.toContain(CODE);
  expect(host.logged.join()).not.toMatch(/given|first|cert/);

  const restarted = await connect(memorySecrets(kept));
  await restarted.channel.authorization!.accept(CODE);
  refreshes('given');
  answersWith('user-token');
  await restarted.channel.readOrder!('1');
});

test('of two hosts that are handed the same code at once one sends it', async () => {
  const kept = new Map<string, string>();
  const hosts = await Promise.all([1, 2].map(() => connect(memorySecrets(kept))));
  exchanges();
  const results = await Promise.allSettled(hosts.map(({ channel }) => channel.authorization!.accept(CODE)));
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(results.find((each) => each.status === 'rejected')?.reason).toMatchObject({
    message: expect.stringContaining('if another host is not just done with it') as string,
  });
  await Promise.all(hosts.map(({ channel }) => channel.authorization!.accept(CODE)));
});

test('a code that eBay refuses is told of clearly, not sent again, and leaves the earlier consent as it was', async () => {
  const { channel } = await connect();
  exchanges();
  await channel.authorization!.accept(CODE);
  nock(API)
    .post(TOKEN, (form: Form) => form.code === 'used')
    .reply(400, { error: 'invalid_grant', error_description: 'the code used is invalid' });
  const refused = await failureOf(channel.authorization!.accept('used'));
  expect(refused.code).toBe('channel-unauthorized');
  expect(refused.message).toMatch(/used before, is older than five minutes, or is of another RuName/);
  expect(refused.message).not.toContain('the code used is');
  expect((await failureOf(channel.authorization!.accept('used'))).message).toMatch(
    'refused this code before',
  );
  expect((await channel.authorization!.standing()).isGiven).toBe(true);
  answersWith('first');
  await channel.readOrder!('1');
});

test('a code whose answer was lost is not sent again, and a newer one is', async () => {
  const { channel } = await connect();
  nock(API).post(TOKEN).replyWithError('reset');
  expect((await failureOf(channel.authorization!.accept(CODE))).code).toBe('channel-unavailable');
  expect((await failureOf(channel.authorization!.accept(CODE))).message).toMatch(
    'what became of it is not known',
  );
  exchanges('newer');
  await channel.authorization!.accept('newer');
});

test('a code that was not sent for now is taken later', async () => {
  const { channel } = await connect();
  nock(API).post(TOKEN).reply(429, {}, { 'retry-after': '1' });
  expect((await failureOf(channel.authorization!.accept(CODE))).code).toBe('channel-throttled');
  exchanges();
  await channel.authorization!.accept(CODE);
});

test('what eBay gave is kept although the database is away for a moment', async () => {
  const kept = new Map<string, string>();
  const memory = memorySecrets(kept);
  let away = 0;
  const { channel, host } = await connect({
    ...memory,
    compareAndSet: (...change) => {
      if (change[2].includes('"done"') && away++ < 2)
        return Promise.reject(Object.assign(new Error('away'), { code: 'secrets-unavailable' }));
      return memory.compareAndSet(...change);
    },
  });
  exchanges();
  await channel.authorization!.accept(CODE);
  expect(host.slept).toEqual([500, 500]);
  expect(kept.get('consent')).toContain('given');
});

test('where eBay does not take what the consent gave, the refresh token of the options is tried', async () => {
  const kept = new Map<string, string>();
  const first = await connect(memorySecrets(kept));
  exchanges();
  await first.channel.authorization!.accept(CODE);
  const { channel } = await connect(memorySecrets(kept), { refreshToken: 'of-the-options' });
  nock(API)
    .post(TOKEN, (form: Form) => form.refresh_token === 'given')
    .reply(400, { error: 'invalid_grant' });
  refreshes('of-the-options');
  answersWith('user-token');
  await channel.readOrder!('1');
});

test.each([
  ['is told', 60, true, 'ends in 60 days'],
  ['that is near asks for another consent', 29, true, 'ends in 29 days; run "onhand authorize ebay"'],
  ['that has passed is a fault', -1, false, 'has ended; run "onhand authorize ebay"'],
])('the end of the consent %s by the check', async (_, days, ok, words) => {
  const endsAt = NOW + days * DAY_MS;
  const kept = new Map([['consent', JSON.stringify({ refreshToken: 'given', endsAt })]]);
  const { channel, host } = await connect(memorySecrets(kept));
  nock(API).post(TOKEN).times(6).optionally().reply(400, { error: 'invalid_grant' });
  const { findings } = await channel.check();
  expect(findings[0]).toEqual({ ok, message: expect.stringContaining(words) as string });
  expect(host.logged.some((line) => line.includes("the seller's consent ends"))).toBe(days < 30);
});

test('a check before the consent says that alone, and sends nothing', async () => {
  const { channel } = await connect();
  expect(await channel.check()).toEqual({
    ok: false,
    findings: [{ ok: false, message: expect.stringContaining('"onhand authorize ebay"') as string }],
  });
});

test.each([
  [{ ruName: undefined, refreshToken: undefined }, /refreshToken.*is required where ruName is not given/],
  [{ ruName: 'https://acme.example/callback' }, /ruName.*must be the RuName/],
  [{ ruName: '' }, /ruName/],
])('options that lack a way to sign in are refused: %o', async (options, words) => {
  await expect(connectEbay({ ...OPTIONS, ...options })).rejects.toThrow(words);
});
