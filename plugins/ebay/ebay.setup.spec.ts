import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import nock from 'nock';
import { memorySecrets, resolvePluginOptions } from 'onhand/channel-api';
import { failureOf, networkOff } from 'onhand/channel-api/testing';
import { API, connectEbay, ebayError, ENDPOINT, token, VERIFICATION_TOKEN } from './ebay.fixtures';
import plugin from './ebay.plugin';

const TOKEN = '/identity/v1/oauth2/token';
const NOTIFICATION = '/commerce/notification/v1';
const WEBHOOK = { verificationToken: VERIFICATION_TOKEN, endpoint: ENDPOINT };
const PAYLOAD = { deliveryProtocol: 'HTTPS', format: 'JSON', schemaVersion: '1.1' };

networkOff(nock);

/** Both tokens, as often as they are asked for. */
function grants(host = API): void {
  nock(host)
    .post(TOKEN, /refresh_token/)
    .optionally()
    .reply(200, token('user-token'));
  nock(host)
    .post(TOKEN, /client_credentials/)
    .optionally()
    .reply(200, token('app-token'));
}

const asApplication = () => nock(API, { reqheaders: { authorization: 'Bearer app-token' } });
const asSeller = () => nock(API, { reqheaders: { authorization: 'Bearer user-token' } });

function topicsAre(times: number): void {
  const supportedPayloads = ['1.0', '1.1', '2.0'].map((schemaVersion) => ({
    schemaVersion,
    deprecated: schemaVersion === '2.0',
  }));
  asApplication()
    .get(/\/topic\//)
    .times(times)
    .reply(200, { supportedPayloads });
}

describe('subscribing', () => {
  it('sets an address for alerts, a destination, and a subscription for each topic', async () => {
    grants();
    asApplication()
      .get(`${NOTIFICATION}/config`)
      .reply(404, { errors: [ebayError(195026)] })
      .put(`${NOTIFICATION}/config`, { alertEmail: 'postmaster@stock.example' })
      .reply(204)
      .get(`${NOTIFICATION}/destination`)
      .query(true)
      .reply(200, { destinations: [], total: 0 })
      .post(`${NOTIFICATION}/destination`, {
        name: 'onhand',
        status: 'ENABLED',
        deliveryConfig: { endpoint: ENDPOINT, verificationToken: VERIFICATION_TOKEN },
      })
      .reply(201, '', { location: `${API}${NOTIFICATION}/destination/d-1` });
    topicsAre(2);
    const subscribed: string[] = [];
    asSeller()
      .get(`${NOTIFICATION}/subscription`)
      .query(true)
      .reply(200, { subscriptions: [] })
      .post(`${NOTIFICATION}/subscription`, (body: { topicId: string }) => {
        const { topicId, ...settings } = body;
        expect(settings).toEqual({ destinationId: 'd-1', status: 'ENABLED', payload: PAYLOAD });
        return subscribed.push(topicId) > 0;
      })
      .times(2)
      .reply(201, '');
    const { channel } = await connectEbay({ webhook: WEBHOOK });
    await channel.subscribe!(ENDPOINT);
    expect(subscribed).toEqual(['ORDER_CONFIRMATION', 'ITEM_MARKED_SHIPPED']);
  });

  it('leaves what is there, over all pages, and enables what eBay or somebody switched off', async () => {
    grants();
    const destination = {
      destinationId: 'd-1',
      status: 'MARKED_DOWN',
      deliveryConfig: { endpoint: ENDPOINT },
    };
    asApplication()
      .get(`${NOTIFICATION}/config`)
      .reply(200, { alertEmail: 'someone@stock.example' })
      .get(`${NOTIFICATION}/destination`)
      .query({ limit: '100' })
      .reply(200, { destinations: [], next: `${NOTIFICATION}/destination?limit=100&continuation_token=more` })
      .get(`${NOTIFICATION}/destination`)
      .query({ limit: '100', continuation_token: 'more' })
      .reply(200, { destinations: [destination] })
      .put(`${NOTIFICATION}/destination/d-1`, ({ status }: { status: string }) => status === 'ENABLED')
      .reply(204);
    topicsAre(1);
    asSeller()
      .get(`${NOTIFICATION}/subscription`)
      .query(true)
      .reply(200, {
        subscriptions: [
          { subscriptionId: 's-1', topicId: 'ORDER_CONFIRMATION', status: 'ENABLED', destinationId: 'd-1' },
          { subscriptionId: 's-2', topicId: 'ITEM_MARKED_SHIPPED', status: 'DISABLED', destinationId: 'd-1' },
        ],
      })
      .put(`${NOTIFICATION}/subscription/s-2`, { destinationId: 'd-1', status: 'ENABLED', payload: PAYLOAD })
      .reply(204);
    const { channel } = await connectEbay({ webhook: WEBHOOK });
    await channel.subscribe!(ENDPOINT);
  });

  it('goes on where a topic is not for this application, and says what is missed', async () => {
    grants();
    asApplication()
      .get(`${NOTIFICATION}/config`)
      .reply(200, { alertEmail: 'x@y.example' })
      .get(`${NOTIFICATION}/destination`)
      .query(true)
      .reply(200, {
        destinations: [{ destinationId: 'd', status: 'ENABLED', deliveryConfig: { endpoint: ENDPOINT } }],
      });
    topicsAre(2);
    asSeller().get(`${NOTIFICATION}/subscription`).query(true).reply(200, { subscriptions: [] });
    asSeller()
      .post(`${NOTIFICATION}/subscription`)
      .times(2)
      .reply(403, { errors: [ebayError(195011, 'Not authorized for this topic.')] });
    const { channel, host } = await connectEbay({ webhook: WEBHOOK });
    await channel.subscribe!(ENDPOINT);
    expect(host.logged.join()).toContain('195011');
    expect(host.logged.join()).toContain('shipments come by poll alone');
  });

  it('says what to look at where eBay finds another answer at the endpoint', async () => {
    grants();
    asApplication()
      .get(`${NOTIFICATION}/config`)
      .reply(200, { alertEmail: 'x@y.example' })
      .get(`${NOTIFICATION}/destination`)
      .query(true)
      .reply(200, { destinations: [] })
      .post(`${NOTIFICATION}/destination`)
      .reply(409, { errors: [ebayError(195020, 'Challenge verification failed')] });
    const { channel, host } = await connectEbay({ webhook: WEBHOOK });
    const error = await failureOf(channel.subscribe!('https://other.example/webhooks/ebay'));
    expect(error).toMatchObject({ code: 'channel-request', retryable: false });
    expect(error.message).toContain('webhook.endpoint');
    expect(host.logged.join()).toContain('server.publicUrl');
  });
});

describe('check()', () => {
  const works = { get: /inventory_item|\/order|subscription|search/ };
  const failed = (findings: { ok: boolean; message: string }[]) =>
    findings.filter(({ ok }) => !ok).map(({ message }) => message);

  it('proves each scope by a call, tells the quotas, and warns of cancellations', async () => {
    grants();
    asSeller().get(works.get).times(3).reply(200, {});
    nock(API, { reqheaders: { authorization: 'IAF user-token' } })
      .get(works.get)
      .reply(200, {});
    const rates = [{ limit: 10, remaining: 9, timeWindow: 86_400 }];
    asApplication()
      .get(/rate_limit/)
      .reply(200, { rateLimits: [{ apiName: 'Inventory', resources: [{ rates }] }] });
    const { channel } = await connectEbay({ webhook: WEBHOOK, cancel: { enabled: true } });
    const { ok, findings } = await channel.check();
    expect([ok, failed(findings)]).toEqual([true, []]);
    const said = findings.map(({ message }) => message).join('\n');
    for (const words of [
      'sell.inventory',
      'sell.fulfillment',
      'notifications',
      'Post-Order',
      'inventory',
      'defect',
    ])
      expect(said).toContain(words);
  });

  it('tells which scope is missing, and goes on', async () => {
    grants();
    asSeller()
      .get(/inventory_item/)
      .reply(200, {})
      .get(/\/order/)
      .reply(403);
    asApplication()
      .get(/rate_limit/)
      .reply(204);
    const { channel } = await connectEbay();
    const { ok, findings } = await channel.check();
    expect(ok).toBe(false);
    expect(failed(findings)).toEqual([expect.stringContaining('/sell/fulfillment/v1/order answered 403')]);
  });

  it('says when the key to sign with ends', async () => {
    grants();
    const apiz = 'https://apiz.ebay.com';
    asSeller().get(works.get).times(2).reply(200, {});
    asApplication()
      .get(/rate_limit/)
      .reply(204);
    const expirationTime = Date.parse('2026-03-11T12:00:00Z') / 1000;
    nock(apiz).get('/developer/key_management/v1/signing_key/k-1').reply(200, { expirationTime });
    const { privateKey } = generateKeyPairSync('ed25519');
    const { channel } = await connectEbay({
      digitalSignature: {
        enabled: true,
        signingKeyId: 'k-1',
        jwe: 'jwe',
        privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
      },
    });
    const { findings } = await channel.check();
    expect(findings.at(-1)).toEqual({
      ok: true,
      message: expect.stringContaining('ends in 10 days; make another') as string,
    });
  });
});

it('a signed call carries a signature of a key that eBay made, where the options have none', async () => {
  grants();
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  nock('https://apiz.ebay.com', { reqheaders: { authorization: 'Bearer app-token' } })
    .post('/developer/key_management/v1/signing_key', { signingKeyCipher: 'ED25519' })
    .reply(200, {
      privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
      jwe: 'a.jwe',
    });
  const order = { orderId: '1', cancelStatus: { cancelState: 'NONE_REQUESTED' }, lineItems: [] };
  nock(API).get('/sell/fulfillment/v1/order/1').times(2).reply(200, order);
  nock(API).post('/post-order/v2/cancellation/check_eligibility').reply(200, { eligible: true });
  let isVerified = false;
  nock(API)
    .post('/post-order/v2/cancellation')
    .reply(function answer(_, body) {
      const headers = this.req.headers as unknown as Record<string, string | string[]>;
      const header = (name: string) => [headers[name]].flat()[0]!;
      const sent = typeof body === 'string' ? body : JSON.stringify(body);
      const digest = `sha-256=:${createHash('sha256').update(sent).digest('base64')}:`;
      const parameters = header('signature-input').slice('sig1='.length);
      const base = [
        `"content-digest": ${digest}`,
        '"x-ebay-signature-key": a.jwe',
        '"@method": POST',
        '"@path": /post-order/v2/cancellation',
        '"@authority": api.ebay.com',
        `"@signature-params": ${parameters}`,
      ].join('\n');
      const signature = Buffer.from(header('signature').slice('sig1=:'.length, -1), 'base64');
      isVerified =
        header('content-digest') === digest && verify(null, Buffer.from(base), publicKey, signature);
      return [200, { cancelId: 'c-1' }];
    });
  const kept = new Map<string, string>();
  const options = { cancel: { enabled: true }, digitalSignature: { enabled: true } };
  const { channel } = await connectEbay(options, memorySecrets(kept));
  const request = { cancelId: 'x', orderId: '1', lines: [], reason: 'oversold', message: 'Sorry.' };
  expect(await channel.cancelOrder!(request)).toEqual({ outcome: 'pending', receipt: 'c-1' });
  expect(isVerified).toBe(true);
  expect(JSON.parse(kept.get('signing-key')!)).toMatchObject({ jwe: 'a.jwe' });
});

describe('options', () => {
  const given = {
    marketplaceId: 'EBAY_DE',
    clientId: 'app',
    clientSecret: 'cert',
    refreshToken: 'refresh',
  };
  const problemsWith = (options: object) => {
    try {
      resolvePluginOptions(plugin, { ...given, ...options });
      return '';
    } catch (error) {
      return (error as { problems: string[] }).problems.join('\n');
    }
  };

  it.each([
    ['marketplaceId', { marketplaceId: 'de' }],
    ['webhook.verificationToken', { webhook: { ...WEBHOOK, verificationToken: 'short' } }],
    ['webhook.endpoint', { webhook: { ...WEBHOOK, endpoint: 'here' } }],
    ['batchSize', { batchSize: 26 }],
    ['digitalSignature.jwe', { digitalSignature: { enabled: true, privateKey: 'x' } }],
    ['digitalSignature.privateKey', { digitalSignature: { enabled: true, jwe: 'x' } }],
    ['revisionReserve', { revisionReserve: 0 }],
    ['revisionReserve', { revisionReserve: 250 }],
    ['endpoints.api', { endpoints: { api: 'ftp://x' } }],
  ])('%s is refused by its name: %j', (name, options) => {
    expect(problemsWith(options)).toContain(`${name}:`);
  });

  it('that are right are taken, and no secret among them goes unnamed', () => {
    expect(problemsWith({})).toBe('');
    const resolved = resolvePluginOptions(plugin, {
      ...given,
      webhook: WEBHOOK,
      digitalSignature: { enabled: true, privateKey: 'the-private-key', jwe: 'jwe' },
    });
    expect(plugin.secrets(resolved)).toEqual(
      expect.arrayContaining(['cert', 'refresh', VERIFICATION_TOKEN, 'the-private-key']),
    );
  });

  it('decide what the channel can', () => {
    const capabilities = (options: object) =>
      plugin.capabilities(resolvePluginOptions(plugin, { ...given, ...options }));
    expect(capabilities({})).toMatchObject({
      cancelsOrders: false,
      subscribesWebhooks: false,
      pushBatchSize: 25,
    });
    expect(capabilities({ cancel: { enabled: true }, webhook: WEBHOOK, batchSize: 1 })).toMatchObject({
      cancelsOrders: true,
      subscribesWebhooks: true,
      pushBatchSize: 1,
    });
  });
});
