import { failureOf, shownBy, withChannel, type ChannelContract } from './connected-channel';

const TAKEN = ['applied', 'accepted'];

/** Quantities out, and cancellations. */
export function describePushes<Options extends object>(contract: ChannelContract<Options>): void {
  describe('pushes', () => {
    it('a pushed quantity is what the channel shows', () =>
      withChannel(contract, async ({ simulator, channel, capabilities }) => {
        simulator.list([{ channelSku: 'SKU-1', quantityUnits: 1 }]);
        const results = await channel.pushInventory([
          { pushId: 'p1', channelSku: 'SKU-1', quantityUnits: 7 },
        ]);
        expect(results).toEqual([
          expect.objectContaining({ pushId: 'p1', outcome: capabilities.pushAnswers }),
        ]);
        await shownBy(simulator, 'SKU-1', 7);
      }));

    it('zero is pushed like any other quantity', () =>
      withChannel(contract, async ({ simulator, channel }) => {
        simulator.list([{ channelSku: 'SKU-1', quantityUnits: 1 }]);
        await channel.pushInventory([{ pushId: 'p1', channelSku: 'SKU-1', quantityUnits: 0 }]);
        await shownBy(simulator, 'SKU-1', 0);
      }));

    it('one bad row in a full batch costs that row only', () =>
      withChannel(contract, async ({ simulator, channel, capabilities }) => {
        const skus = Array.from({ length: capabilities.pushBatchSize }, (_, index) => `SKU-${index}`);
        const known = skus.slice(1);
        simulator.list(known.map((channelSku) => ({ channelSku, quantityUnits: 1 })));
        const results = await channel.pushInventory(
          skus.map((channelSku, index) => ({ pushId: `p${index}`, channelSku, quantityUnits: index + 1 })),
        );
        expect(results.map((result) => result.pushId).sort()).toEqual(
          skus.map((_, index) => `p${index}`).sort(),
        );
        for (const result of results) {
          if (result.pushId === 'p0') expect(result).toMatchObject({ outcome: 'rejected', retryable: false });
          else expect(TAKEN).toContain(result.outcome);
        }
        for (const [index, sku] of skus.entries()) if (index > 0) await shownBy(simulator, sku, index + 1);
      }));

    it('nothing to push makes no call', () =>
      withChannel(contract, async ({ simulator, channel }) => {
        expect(await channel.pushInventory([])).toEqual([]);
        expect(simulator.calls).toHaveLength(0);
      }));
  });

  describeCancellations(contract);
}

function describeCancellations<Options extends object>(contract: ChannelContract<Options>): void {
  describe('cancellations', () => {
    it('the channel has cancelOrder exactly where its capabilities say so', () =>
      withChannel(contract, async ({ channel, capabilities }) => {
        expect(typeof channel.cancelOrder === 'function').toBe(capabilities.cancelsOrders);
        expect(typeof channel.subscribe === 'function').toBe(capabilities.subscribesWebhooks);
      }));

    it('a cancellation is done or pending, and a repeated one cancels nothing more', () =>
      withChannel(contract, async ({ simulator, channel }) => {
        if (!channel.cancelOrder) return;
        simulator.list([{ channelSku: 'SKU-1', quantityUnits: 9 }]);
        placeOrder(simulator, 'o-1', 3);
        const request = cancellation('o-1', 1);
        expect(['cancelled', 'pending']).toContain((await channel.cancelOrder(request)).outcome);
        const after = simulator.webhookFor('o-1').body.toString();
        await channel.cancelOrder(request);
        expect(simulator.webhookFor('o-1').body.toString()).toBe(after);
      }));

    it('a cancellation after shipment is impossible, with a reason', () =>
      withChannel(contract, async ({ simulator, channel }) => {
        if (!channel.cancelOrder) return;
        placeOrder(simulator, 'o-1', 1);
        simulator.fulfilOrder('o-1', '2025-03-01T11:00:00.000Z');
        const result = await channel.cancelOrder(cancellation('o-1', 1));
        expect(result).toEqual({ outcome: 'impossible', reason: expect.stringMatching(/\w/) as string });
      }));

    it('an HTML page under 200 cancels nothing', () =>
      withChannel(contract, async ({ simulator, channel }) => {
        if (!channel.cancelOrder) return;
        placeOrder(simulator, 'o-1', 1);
        simulator.faults({ html: 1 });
        const error = await failureOf(channel.cancelOrder(cancellation('o-1', 1)));
        expect(error.code).toBe('channel-protocol');
      }));
  });
}

function placeOrder(simulator: Parameters<typeof shownBy>[0], orderId: string, quantityUnits: number): void {
  const lines = [{ lineId: 'l-1', channelSku: 'SKU-1', quantityUnits }];
  simulator.placeOrder({ orderId, placedAt: '2025-03-01T10:00:00.000Z', lines });
}

function cancellation(orderId: string, quantityUnits: number) {
  return {
    cancelId: `cancel-${orderId}`,
    orderId,
    lines: [{ lineId: 'l-1', quantityUnits }],
    reason: 'oversold',
    message: 'We are sorry.',
  };
}
