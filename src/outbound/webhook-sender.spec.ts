import { isSigned } from '../../test/support/webhook-receiver';
import type { HttpSender } from './http-sender';
import { WebhookSender } from './webhook-sender';

/** Published with the specification's reference libraries. */
const VECTOR = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  atSeconds: 1_614_265_330,
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

describe('the signature of a webhook', () => {
  beforeEach(() => jest.useFakeTimers({ now: VECTOR.atSeconds * 1000 }));
  afterEach(() => jest.useRealTimers());

  test('is the one that Standard Webhooks publishes, followed by that of each further secret', async () => {
    const second = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const sent: { body: string; headers: Record<string, string> }[] = [];
    const http = {
      post(body: string, headers: Record<string, string>) {
        sent.push({ body, headers });
        return Promise.resolve({ delivered: true, status: 204, error: null });
      },
    } as unknown as HttpSender;
    const delivery = { id: VECTOR.id, event: 'stock.changed', subject: 'A', body: VECTOR.body };
    await new WebhookSender(http, [VECTOR.secret, second]).send([delivery]);
    const [{ headers, body }] = sent as [(typeof sent)[number]];
    expect(body).toBe(VECTOR.body);
    expect(headers).toMatchObject({ 'webhook-id': VECTOR.id, 'webhook-timestamp': String(VECTOR.atSeconds) });
    const [first, ...more] = headers['webhook-signature']!.split(' ');
    expect(first).toBe(VECTOR.signature);
    expect(more).toHaveLength(1);
    for (const secret of [VECTOR.secret, second]) expect(isSigned({ headers, body }, secret)).toBe(true);
    jest.setSystemTime((VECTOR.atSeconds + 301) * 1000);
    expect(isSigned({ headers, body }, VECTOR.secret)).toBe(false);
  });
});
