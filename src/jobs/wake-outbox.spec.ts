import { setTimeout as sleep } from 'node:timers/promises';
import type { Wake } from './wake';
import { wakeId } from './wake';
import { WakeOutbox } from './wake-outbox';

/** Deliveries that last until they are let go. */
function heldDeliveries() {
  const deliveries: { ids: string[]; finish: (error?: Error) => void }[] = [];
  const deliver = (wakes: Wake[]) =>
    new Promise<void>((resolve, reject) => {
      const finish = (error?: Error) => (error ? reject(error) : resolve());
      deliveries.push({ ids: wakes.map(wakeId), finish });
    });
  return { deliveries, outbox: new WakeOutbox(deliver) };
}

const shop = { name: 'push-listings', key: 'shop' };
const outlet = { name: 'push-listings', key: 'outlet' };

describe('the outbox', () => {
  test('the first wake leaves at once', async () => {
    const { deliveries, outbox } = heldDeliveries();
    outbox.put(shop);
    expect(deliveries).toEqual([]);
    await sleep(2);
    expect(deliveries.map(({ ids }) => ids)).toEqual([['push-listings shop']]);
  });

  test('many wakes while one travels are one more delivery, with each key once', async () => {
    const { deliveries, outbox } = heldDeliveries();
    outbox.put(shop);
    await sleep(2);
    for (let wake = 0; wake < 100; wake++) [shop, outlet].forEach((each) => outbox.put(each));
    await sleep(30);
    expect(deliveries).toHaveLength(1);
    deliveries[0]!.finish();
    await sleep(30);
    expect(deliveries.map(({ ids }) => ids)).toEqual([
      ['push-listings shop'],
      ['push-listings shop', 'push-listings outlet'],
    ]);
  });

  test('wakes one after another are gathered, and the last of them is followed by a delivery', async () => {
    let deliveries = 0;
    let lastAt = 0;
    const outbox = new WakeOutbox(async () => {
      deliveries += 1;
      lastAt = performance.now();
    });
    const until = performance.now() + 200;
    let putAt = 0;
    while (performance.now() < until) {
      putAt = performance.now();
      outbox.put(shop);
      await sleep(0);
    }
    await outbox.empty();
    expect(lastAt).toBeGreaterThanOrEqual(putAt);
    expect(deliveries).toBeGreaterThan(2);
    expect(deliveries).toBeLessThanOrEqual(22);
  });

  test('a delivery that fails keeps none from following', async () => {
    const { deliveries, outbox } = heldDeliveries();
    outbox.put(shop);
    await sleep(2);
    outbox.put(outlet);
    deliveries[0]!.finish(new Error('the database is away'));
    await sleep(30);
    expect(deliveries[1]!.ids).toEqual(['push-listings outlet']);
  });
});
