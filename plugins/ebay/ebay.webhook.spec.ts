import { createHash } from 'node:crypto';
import nock from 'nock';
import type { WebhookRequest } from 'onhand/channel-api';
import { networkOff } from 'onhand/channel-api/testing';
import { API, connectEbay, ENDPOINT, token, VERIFICATION_TOKEN } from './ebay.fixtures';

/** Signed with a key pair made for these tests. */
const KEY =
  '-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHDISparW+MdFFP8YAp9ybfLkgt7942+9qxRC0jWjy9kBasKUnc77e2y11W29ALCpQn9sUAULzHIrc7dsQJIQ+g==-----END PUBLIC KEY-----';
const BODY =
  '{"metadata":{"topic":"ORDER_CONFIRMATION","schemaVersion":"1.0","deprecated":false},"notification":{"notificationId":"n-1","eventDate":"2026-03-01T11:59:59.000Z","publishDate":"2026-03-01T12:00:00.000Z","publishAttemptCount":1,"data":{"user":{"userId":"seller-id","username":"a_seller"},"order":{"orderId":"11-00001-00001","orderLineItems":[{"orderLineItemId":"10001","listingId":"110000000001","quantity":2}]}}}}';
const SIGNATURES = {
  SHA1: 'MEQCIGWdQugWiE/Dsd9DVjrbM1I/J+7YIb8KpsvVUNQXzjtdAiAcenNN1IrkM9YnWKzPIoM1Nm4OR9Arxb4Ds8XAymWKJQ==',
  SHA256: 'MEQCIDxjQCl5fzatHUtRVS/NEgon2Be6AmhJ6zBEHtiP1M5cAiBd5NJwkX6J/SmNazB3uO+Vt1ZUiPLulXVjCAXocRhCeg==',
};
const WEBHOOK = { verificationToken: VERIFICATION_TOKEN, endpoint: ENDPOINT };

networkOff(nock);

function headerOf(fields: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify({ alg: 'ecdsa', digest: 'SHA1', ...fields })).toString('base64');
}

function posted(header: string | undefined, body = BODY): WebhookRequest {
  return { method: 'POST', path: '/', headers: { 'x-ebay-signature': header }, body: Buffer.from(body) };
}

const signed = (kid = 'key-1') => posted(headerOf({ kid, signature: SIGNATURES.SHA1 }));

function hasKey(digest = 'SHA1', key = KEY, kid = 'key-1'): void {
  nock(API).post('/identity/v1/oauth2/token').reply(200, token('app-token'));
  nock(API, { reqheaders: { authorization: 'Bearer app-token' } })
    .get(`/commerce/notification/v1/public_key/${kid}`)
    .reply(200, { key, algorithm: 'ECDSA', digest });
}

const channelWith = async () => connectEbay({ webhook: WEBHOOK });

describe('a challenge', () => {
  it('is answered with the hash of code, token and endpoint', async () => {
    const { channel } = await channelWith();
    const verdict = await channel.verifyWebhook({
      method: 'GET',
      path: '/?challenge_code=a%2Bcode',
      headers: {},
      body: Buffer.alloc(0),
    });
    const challengeResponse = createHash('sha256')
      .update(`a+code${VERIFICATION_TOKEN}${ENDPOINT}`)
      .digest('hex');
    expect(verdict).toEqual({
      verdict: 'challenge',
      status: 200,
      contentType: 'application/json',
      body: JSON.stringify({ challengeResponse }),
    });
  });

  it.each(['/', '/?challenge_code='])('without a code (%s) is refused', async (path) => {
    const { channel } = await channelWith();
    const verdict = await channel.verifyWebhook({ method: 'GET', path, headers: {}, body: Buffer.alloc(0) });
    expect(verdict).toMatchObject({ verdict: 'refused', status: 412 });
  });
});

describe('a signature', () => {
  it.each(['SHA1', 'SHA256'] as const)(
    'over the raw bytes is taken, by the digest that the key names: %s',
    async (digest) => {
      hasKey(digest);
      const { channel } = await channelWith();
      const header = headerOf({ kid: 'key-1', signature: SIGNATURES[digest] });
      expect(await channel.verifyWebhook(posted(header))).toEqual({
        verdict: 'accepted',
        topic: 'ORDER_CONFIRMATION',
      });
    },
  );

  it('of another digest than the key names does not match', async () => {
    hasKey('SHA256');
    const { channel } = await channelWith();
    expect(await channel.verifyWebhook(signed())).toMatchObject({ verdict: 'refused', status: 412 });
  });

  it.each([
    ['the body was written anew', posted(headerOf({ kid: 'key-1', signature: SIGNATURES.SHA1 }), `${BODY} `)],
    ['it is another body’s', posted(headerOf({ kid: 'key-1', signature: SIGNATURES.SHA256 }))],
    ['it is no signature at all', posted(headerOf({ kid: 'key-1', signature: 'AAAA' }))],
  ])('is refused with 412 where %s', async (_, request) => {
    hasKey();
    const { channel } = await channelWith();
    expect(await channel.verifyWebhook(request)).toMatchObject({ verdict: 'refused', status: 412 });
  });

  it.each([
    ['missing', undefined],
    ['not Base64', '%%%'],
    ['not JSON', Buffer.from('x').toString('base64')],
    ['without a key id', headerOf({ signature: SIGNATURES.SHA1 })],
    ['of a key id that leads elsewhere', headerOf({ kid: '../config', signature: SIGNATURES.SHA1 })],
    ['not canonical', `${headerOf({ kid: 'key-1', signature: SIGNATURES.SHA1 })} `],
    ['of a signature that is not Base64', headerOf({ kid: 'key-1', signature: `${SIGNATURES.SHA1}!` })],
    ['longer than any', 'a'.repeat(4_004)],
  ])('that is %s is refused without a call', async (_, header) => {
    const { channel } = await channelWith();
    const reason = 'there is no X-EBAY-SIGNATURE header, or it is none of eBay’s';
    expect(await channel.verifyWebhook(posted(header))).toEqual({ verdict: 'refused', status: 412, reason });
  });
});

describe('public keys', () => {
  it('are asked for once an hour', async () => {
    hasKey();
    const { channel, host } = await channelWith();
    for (let delivery = 0; delivery < 3; delivery += 1)
      expect(await channel.verifyWebhook(signed())).toMatchObject({ verdict: 'accepted' });
    host.nowMs += 3_600_001;
    nock(API)
      .get('/commerce/notification/v1/public_key/key-1')
      .reply(200, { key: KEY, algorithm: 'ECDSA', digest: 'SHA1' });
    expect(await channel.verifyWebhook(signed())).toMatchObject({ verdict: 'accepted' });
  });

  it('that somebody makes up cost a few calls a minute, and no more', async () => {
    nock(API).post('/identity/v1/oauth2/token').reply(200, token('app-token'));
    nock(API)
      .get(/public_key/)
      .times(6)
      .reply(404, { errors: [{ errorId: 195001 }] });
    const { channel, host } = await channelWith();
    for (let forged = 0; forged < 20; forged += 1) {
      const reason =
        forged < 6 ? 'eBay has no such key' : 'too many keys were asked for; try again in a minute';
      const verdict = await channel.verifyWebhook(signed(`forged-${forged}`));
      expect(verdict).toEqual({ verdict: 'refused', status: 412, reason });
    }
    host.nowMs += 60_001;
    nock(API).get(/key-1/).reply(200, { key: KEY, algorithm: 'ECDSA', digest: 'SHA1' });
    expect(await channel.verifyWebhook(signed())).toMatchObject({ verdict: 'accepted' });
  });

  it('that cannot be read refuse for now, and are asked for again', async () => {
    nock(API).post('/identity/v1/oauth2/token').reply(200, token('app-token'));
    nock(API).get(/key-1/).reply(503);
    const { channel } = await channelWith();
    expect(await channel.verifyWebhook(signed())).toMatchObject({ verdict: 'refused', status: 412 });
    nock(API).get(/key-1/).reply(200, { key: KEY, algorithm: 'ECDSA', digest: 'SHA1' });
    expect(await channel.verifyWebhook(signed())).toMatchObject({ verdict: 'accepted' });
  });
});

describe('what a notification says', () => {
  const told = (topic: string, data: unknown) =>
    posted(undefined, JSON.stringify({ metadata: { topic }, notification: { notificationId: 'n', data } }));

  it.each([
    ['ORDER_CONFIRMATION', { order: { orderId: '1-1', orderLineItems: [{}] } }],
    ['ITEM_MARKED_SHIPPED', { itemMarkedShipped: { itemId: '9', orderId: '1-1' } }],
    ['ITEM_MARKED_SHIPPED', { orderId: '1-1', itemId: '9' }],
    ['ORDER_CANCELLATION_ACTIVITY', { order: { orderId: '1-1' } }],
  ])('%s names an order to read: %j', async (topic, data) => {
    const { channel } = await channelWith();
    expect(channel.translateWebhook(told(topic, data))).toEqual([{ kind: 'order-changed', orderId: '1-1' }]);
  });

  it.each([
    ['ITEM_MARKED_SHIPPED', { itemMarkedShipped: { itemId: '9' } }],
    ['NEW_MESSAGE', { order: { orderId: '1-1' } }],
  ])('%s may say nothing of orders: %j', async (topic, data) => {
    const { channel } = await channelWith();
    expect(channel.translateWebhook(told(topic, data))).toEqual([]);
  });

  it.each([
    { order: {} },
    { order: { orderId: '' } },
    { order: { orderId: '1', orderLineItems: 'several' } },
    null,
  ])('a checkout that names no order is untranslatable: %j', async (data) => {
    const { channel } = await channelWith();
    expect(() => channel.translateWebhook(told('ORDER_CONFIRMATION', data))).toThrow(/order|data/);
  });
});

it('a notice that an account was closed is verified, acknowledged, and stored nowhere', async () => {
  const notice =
    '{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION"},"notification":{"data":{"username":"x"}}}';
  const { generateKeyPairSync, sign } = await import('node:crypto');
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  hasKey('SHA1', publicKey.export({ type: 'spki', format: 'pem' }).toString().replaceAll('\n', ''));
  const signature = sign('sha1', Buffer.from(notice), privateKey).toString('base64');
  const { channel } = await channelWith();
  const verdict = await channel.verifyWebhook(posted(headerOf({ kid: 'key-1', signature }), notice));
  expect(verdict).toEqual({ verdict: 'challenge', status: 200, contentType: 'application/json', body: '{}' });
  const forged = await channel.verifyWebhook(posted(headerOf({ kid: 'key-1', signature }), `${notice} `));
  expect(forged).toMatchObject({ verdict: 'refused', status: 412 });
});
