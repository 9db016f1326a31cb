import type { OrderDocument, WebhookRequest } from '../contract';
import type { ChannelSimulator, WebhookDelivery } from '../simulator';
import { collect, withChannel, type ChannelContract } from './connected-channel';

/** Signatures, and what a webhook says. */
export function describeWebhooks<Options extends object>(contract: ChannelContract<Options>): void {
  const name = contract.signatureHeader;

  describe('webhook signatures', () => {
    it('a webhook as the channel signs it is accepted', () =>
      withChannel(contract, async ({ simulator, channel }) => {
        const verdict = await channel.verifyWebhook(requestOf(orderWebhook(simulator)));
        expect(verdict).toEqual({ verdict: 'accepted', topic: expect.stringMatching(/\w/) as string });
      }));

    it.each(forgedSignatures())('a webhook with %s signature is refused', (_, forge) =>
      withChannel(contract, async ({ simulator, channel }) => {
        const request = requestOf(orderWebhook(simulator));
        const signature = forge(request.headers[name] as string);
        const verdict = await channel.verifyWebhook({
          ...request,
          headers: { ...request.headers, [name]: signature },
        });
        expect(verdict).toMatchObject({ verdict: 'refused', status: 401 });
      }),
    );

    it.each(alteredBodies())('a webhook whose body has %s is refused', (_, alter) =>
      withChannel(contract, async ({ simulator, channel }) => {
        const request = requestOf(orderWebhook(simulator));
        const verdict = await channel.verifyWebhook({ ...request, body: alter(request.body) });
        expect(verdict).toMatchObject({ verdict: 'refused', status: 401 });
      }),
    );

    it('a webhook signed with another secret is refused, and the refusal names no secret', () =>
      withChannel(contract, async ({ channel, secrets }) => {
        const other = await contract.startSimulator({ webhookSecret: 'the-secret-of-another-shop' });
        const verdict = await channel.verifyWebhook(requestOf(orderWebhook(other)));
        await other.close();
        expect(verdict).toMatchObject({ verdict: 'refused', status: 401 });
        for (const secret of secrets) expect(JSON.stringify(verdict)).not.toContain(secret);
      }));
  });

  describeTranslation(contract);
}

function describeTranslation<Options extends object>(contract: ChannelContract<Options>): void {
  describe('webhook translation', () => {
    it('a webhook translates to the order as the channel has it, and as a read gives it', () =>
      withChannel(contract, async ({ simulator, channel, capabilities }) => {
        const request = requestOf(orderWebhook(simulator));
        const order = simulator.fulfilOrder('o-1', '2025-03-01T11:00:00.000Z');
        const documents = channel.translateWebhook(requestOf(simulator.webhookFor('o-1')));
        expect(documents).toEqual([order]);
        expect(channel.translateWebhook(request)).not.toEqual(documents);
        if (capabilities.readsOrders)
          expect((await collect(channel.readOrders({}))).items).toEqual(documents);
      }));

    it('duplicated and reordered webhooks translate to the same documents, whose revisions restore the order', () =>
      withChannel(contract, async ({ simulator, channel }) => {
        const requests = [orderWebhook(simulator)];
        simulator.fulfilOrder('o-1', '2025-03-01T11:00:00.000Z');
        requests.push(simulator.webhookFor('o-1'));
        simulator.returnOrder('o-1', '2025-03-01T12:00:00.000Z');
        requests.push(simulator.webhookFor('o-1'));
        const translated = (indexes: number[]) =>
          indexes.map((index) => channel.translateWebhook(requestOf(requests[index] as WebhookDelivery))[0]);
        const inOrder = translated([0, 1, 2]) as OrderDocument[];
        expect(
          inOrder.map((order) => order.lines[0]).map((line) => [line?.fulfilled, line?.returned]),
        ).toEqual([
          [0, 0],
          [2, 0],
          [2, 2],
        ]);
        const shuffled = translated([2, 0, 2, 1, 1, 0]) as OrderDocument[];
        const revisions = new Map(shuffled.map((order) => [order.revision, order]));
        expect([...revisions.keys()].every(Number.isSafeInteger)).toBe(true);
        expect([...revisions].sort(([a], [b]) => a - b).map(([, order]) => order)).toEqual(inOrder);
      }));

    it.each([
      ['nothing', ''],
      ['text that is not JSON', '<html>'],
      ['null', 'null'],
      ['a list', '[]'],
      ['an empty object', '{}'],
      ['brackets nested 100,000 deep', '['.repeat(100_000) + ']'.repeat(100_000)],
    ])('a body of %s is untranslatable, and nothing worse', (_, body) =>
      withChannel(contract, async ({ simulator, channel }) => {
        const request = { ...requestOf(orderWebhook(simulator)), body: Buffer.from(body) };
        expect(() => channel.translateWebhook(request)).toThrow(
          expect.objectContaining({ code: 'untranslatable', retryable: false }) as Error,
        );
      }),
    );
  });
}

function orderWebhook(simulator: ChannelSimulator): WebhookDelivery {
  simulator.placeOrder({
    orderId: 'o-1',
    placedAt: '2025-03-01T10:00:00.000Z',
    lines: [{ lineId: 'l-1', channelSku: 'SKU-1', quantityUnits: 2 }],
  });
  return simulator.webhookFor('o-1');
}

function requestOf({ headers, body }: WebhookDelivery): WebhookRequest {
  const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { method: 'POST', path: '/', headers: Object.fromEntries(lowered) as Record<string, string>, body };
}

function forgedSignatures(): [string, (signature: string) => string | undefined][] {
  return [
    ['no', () => undefined],
    ['an empty', () => ''],
    ['a truncated', (signature) => signature.slice(0, -2)],
    ['a lengthened', (signature) => `${signature}aa`],
    ['a duplicated', (signature) => `${signature}, ${signature}`],
    ['an all-zero', (signature) => signature.replace(/[A-Za-z0-9+/]/g, '0')],
    ['a non-ASCII', (signature) => '\u00e9'.repeat(signature.length)],
    ['a very long', () => 'a'.repeat(1_000_000)],
  ];
}

function alteredBodies(): [string, (body: Buffer) => Buffer][] {
  const flipped = (body: Buffer, at: number) => {
    const copy = Buffer.from(body);
    copy[at] = (copy[at] as number) ^ 1;
    return copy;
  };
  return [
    ['its first byte changed', (body) => flipped(body, 0)],
    ['a byte in its middle changed', (body) => flipped(body, body.length >> 1)],
    ['its last byte changed', (body) => flipped(body, body.length - 1)],
    ['a blank added', (body) => Buffer.concat([body, Buffer.from(' ')])],
    ['been written anew', (body) => Buffer.from(JSON.stringify(JSON.parse(body.toString()), null, 1))],
    ['been emptied', () => Buffer.alloc(0)],
  ];
}
