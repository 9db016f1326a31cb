import crypto, { createHmac } from 'node:crypto';
import { resolvePluginOptions, type WebhookRequest } from 'onhand/channel-api';
import plugin from './generic-rest.plugin';
import { translateWebhook, verifyWebhook } from './generic-rest.webhook';

const BODY = Buffer.from('{"id":"1","revision":1,"placed_at":"2025-01-01T00:00:00Z","lines":[]}');

function optionsWith(webhook: Record<string, unknown> = {}, orders: Record<string, unknown> = {}) {
  const base = { baseUrl: 'https://shop.example', orders };
  return resolvePluginOptions(plugin, { ...base, webhook: { secret: 'current-secret', ...webhook } });
}

function requestWith(headers: Record<string, string | undefined>, body = BODY): WebhookRequest {
  return { method: 'POST', path: '/', headers, body };
}

function signature(secret: string, algorithm = 'sha256', encoding: 'hex' | 'base64' = 'hex'): string {
  return createHmac(algorithm, secret).update(BODY).digest(encoding);
}

describe('verifyWebhook', () => {
  it.each([
    ['sha256', 'hex', ''],
    ['sha256', 'base64', ''],
    ['sha512', 'hex', 'sha512='],
    ['sha512', 'base64', 'v1,'],
  ] as const)('%s in %s with the prefix %j is accepted, and only with it', (algorithm, encoding, prefix) => {
    const { webhook } = optionsWith({ signatureHeader: 'X-Sig', algorithm, encoding, prefix });
    const signed = signature('current-secret', algorithm, encoding);
    const verdictOf = (value: string) => verifyWebhook(requestWith({ 'x-sig': value }), webhook).verdict;
    expect(verdictOf(`${prefix}${signed}`)).toBe('accepted');
    if (prefix !== '') expect(verdictOf(signed)).toBe('refused');
    if (prefix !== '') expect(verdictOf(`x${prefix.slice(1)}${signed}`)).toBe('refused');
    expect(verdictOf(`x${prefix}${signed}`)).toBe('refused');
  });

  it('signatures are compared in constant time, with each secret, whether they match or not', () => {
    const compared = jest.spyOn(crypto, 'timingSafeEqual');
    const { webhook } = optionsWith({ previousSecret: 'previous-secret' });
    for (const secret of ['current-secret', 'previous-secret', 'wrong-secret']) {
      compared.mockClear();
      verifyWebhook(requestWith({ 'x-shop-signature': signature(secret) }), webhook);
      expect(compared).toHaveBeenCalledTimes(2);
    }
    compared.mockRestore();
  });

  it('during rotation both secrets are accepted, afterwards one', () => {
    const header = 'x-shop-signature';
    const verdictOf = (secret: string, webhook: Record<string, unknown>) =>
      verifyWebhook(requestWith({ [header]: signature(secret) }), optionsWith(webhook).webhook).verdict;
    const rotating = { previousSecret: 'previous-secret' };
    expect(verdictOf('current-secret', rotating)).toBe('accepted');
    expect(verdictOf('previous-secret', rotating)).toBe('accepted');
    expect(verdictOf('previous-secret', {})).toBe('refused');
    expect(verdictOf('', rotating)).toBe('refused');
  });

  it.each([
    ['hex', (text: string) => text.toUpperCase(), 'accepted'],
    ['hex', (text: string) => `${text.slice(0, -1)}g`, 'refused'],
    ['hex', (text: string) => ` ${text}`, 'refused'],
    ['base64', (text: string) => text.replace('=', ''), 'refused'],
    ['base64', (text: string) => `${text.slice(0, 5)}\n${text.slice(5)}`, 'refused'],
    ['base64', (text: string) => `${text}!!!!`, 'refused'],
  ] as const)('a %s signature written otherwise is %#: %s', (encoding, rewrite, expected) => {
    const value = rewrite(signature('current-secret', 'sha256', encoding));
    const request = requestWith({ 'x-shop-signature': value });
    expect(verifyWebhook(request, optionsWith({ encoding }).webhook).verdict).toBe(expected);
  });

  it('the topic is a label on one line', () => {
    const headers = { 'x-shop-signature': signature('current-secret'), 'x-shop-topic': 'order/\r\nchanged' };
    const verdict = verifyWebhook(requestWith(headers), optionsWith().webhook);
    expect(verdict).toEqual({ verdict: 'accepted', topic: 'order/changed' });
  });
});

describe('translateWebhook', () => {
  it('the order is found where orderPath says', () => {
    const body = Buffer.from(`{"event":{"order":${BODY.toString()}}}`);
    const documents = translateWebhook(requestWith({}, body), optionsWith({ orderPath: 'event.order' }));
    expect(documents).toEqual([
      { kind: 'order', orderId: '1', revision: 1, placedAt: '2025-01-01T00:00:00.000Z', lines: [] },
    ]);
    expect(() => translateWebhook(requestWith({}), optionsWith({ orderPath: 'event.order' }))).toThrow(
      /event\.order/,
    );
  });

  it('an order id beyond 2^53 keeps its digits', () => {
    const body = Buffer.from(BODY.toString().replace('"1"', '820982911946154508'));
    const [order] = translateWebhook(requestWith({}, body), optionsWith());
    expect(order?.orderId).toBe('820982911946154508');
  });

  it('bytes that are not UTF-8 are untranslatable', () => {
    const body = Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(() => translateWebhook(requestWith({}, body), optionsWith())).toThrow(/UTF-8/);
  });
});
