import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually';
import { deliver, listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';

const WAITING = `
  SELECT FROM pg_stat_activity
   WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO inbox%'`;

let host: ShopHost;

beforeAll(async () => {
  host = await startShopHost({ shop: { listings: listingsCsv([['S-A', 'A', 1]]) }, shows: ['S-A'] });
});

afterAll(() => host.close());

test('a webhook is not answered before it is stored', async () => {
  const lines = [{ lineId: 'L', channelSku: 'S-A', quantityUnits: 1 }];
  host.shop.placeOrder({ orderId: 'O-1', placedAt: new Date().toISOString(), lines });
  const holder = host.dataSource.createQueryRunner();
  await holder.startTransaction();
  await holder.query('LOCK TABLE inbox IN EXCLUSIVE MODE');
  let answered = false;
  const answer = deliver(host, host.shop.webhookFor('O-1')).finally(() => (answered = true));
  try {
    await eventually(async () => expect(await host.dataSource.query(WAITING)).not.toEqual([]));
    await sleep(50);
    expect(answered).toBe(false);
  } finally {
    await holder.commitTransaction();
    await holder.release();
  }
  expect((await answer).status).toBe(200);
});
