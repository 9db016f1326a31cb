import { join } from 'node:path';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { JobsService } from '../../src/jobs/jobs.service';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { GENERIC_REST_SOURCE, startTestHost, type TestHost } from '../support/host';
import { deliver, listingsCsv, signedWebhook, WEBHOOK_SECRET } from '../support/shop-host';

const ODD_PLUGIN = join(__dirname, '../support/odd-plugin.ts');
const SKUS = Array.from({ length: 24 }, (_, index) => `SKU-${index}`);
const LISTINGS = listingsCsv([
  ...SKUS.map((sku): [string, string, number] => [`S-${sku}`, sku, 1]),
  ...SKUS.map((sku): [string, string, number] => [`SIX-${sku}`, sku, 6]),
]);
const LATER = '2024-05-02T10:00:00.000Z';
const CHANNELS = [
  ...['hold', 'cancel', 'slow', 'observed', 'backorder', 'unread', 'later', 'strange', 'refused'],
] as const;
const CANCEL = {
  policy: 'cancel',
  graceSeconds: 0,
  cancelPenalty: 9,
  message: 'Sorry: {{lines}} of {{orderId}}, {{units}} units.',
};

interface Taken {
  channel: string | null;
  orderId: string | null;
  quantity: number;
  secondsBefore: number;
}

interface Oversell {
  id: number;
  channel: string;
  orderId: string;
  state: string;
  units: number;
  note: string | null;
  candidates: object[];
  shortfalls: { sku: string; quantity: number; takenBy: Taken[] }[];
  cancellations: {
    id: string;
    state: string;
    lines: object[];
    message: string;
    reason: string;
    attempts: number;
  }[];
  actions: { action: string; reason: string | null }[];
}

describe('orders that stock does not cover', () => {
  let database: TestDatabase;
  /** Each channel has a shop of its own. */
  const shops = new Map<string, ChannelSimulator>();
  const channelOf = new Map<string, string>();
  let host: TestHost;
  let used = 0;
  let orders = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    for (const name of CHANNELS) {
      const shop = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
      const listed = SKUS.flatMap((sku) => [`S-${sku}`, `SIX-${sku}`]);
      shop.list(listed.map((channelSku) => ({ channelSku, quantityUnits: 0 })));
      shops.set(name, shop);
    }
    host = await start();
  });

  afterAll(async () => {
    expect((await host.api.post('/v1/ledger/verify')).body).toMatchObject({ ok: true });
    await host.close();
    for (const shop of shops.values()) await shop.close();
    await database.drop();
  });

  function start(): Promise<TestHost> {
    const settings: Record<string, object> = {
      hold: {},
      cancel: { shortfall: CANCEL },
      slow: { shortfall: { ...CANCEL, graceSeconds: 3_600 } },
      observed: { mode: 'observe', shortfall: CANCEL },
      backorder: { returns: 'available', shortfall: { policy: 'backorder' } },
      unread: { odd: { listsOrders: false }, shortfall: CANCEL },
      later: { odd: { cancelAnswers: 'pending' }, shortfall: CANCEL },
      strange: { odd: { cancelAnswers: 'nothing' }, shortfall: CANCEL },
      refused: { odd: { cancelAnswers: 'unauthorized' }, shortfall: CANCEL },
    };
    const channels = CHANNELS.map((name) => {
      const { odd, ...more } = settings[name] as { odd?: object };
      return {
        name,
        plugin: odd ? ODD_PLUGIN : GENERIC_REST_SOURCE,
        pollOrdersEverySeconds: 0,
        listings: LISTINGS,
        options: { limit: { perSecond: 10_000, burst: 10_000 }, ...shops.get(name)!.pluginOptions, ...odd },
        ...more,
      };
    });
    return startTestHost({ channels }, { database });
  }

  const restock = (sku: string, quantity: number) =>
    host.api.post('/v1/events', { type: 'RESTOCK', sku, quantity });
  const stockOf = async (sku: string) =>
    (await host.api.get<{ total: Record<string, number> }>(`/v1/stock/${sku}`)).body.total;
  const act = (id: number, action: string, body: object = { reason: 'the desk says so' }) =>
    host.api.post<Oversell>(`/v1/oversells/${id}/${action}`, body);
  const sweep = () => host.app.get(JobsService).run('handle-oversells');
  const shopOf = (orderId: string) => shops.get(channelOf.get(orderId)!)!;
  const cancelCalls = (orderId: string) =>
    shopOf(orderId).calls.filter(({ path }) => path === `/api/orders/${orderId}/cancel`);
  /** As the shop has it: units cancelled, and how often the order changed. */
  const inShop = (orderId: string) => {
    const { revision, lines } = JSON.parse(shopOf(orderId).webhookFor(orderId).body.toString()) as {
      revision: number;
      lines: { cancelled: number }[];
    };
    return { revision, cancelled: lines.map((line) => line.cancelled) };
  };

  async function stocked(quantity: number): Promise<string> {
    const sku = SKUS[used++]!;
    if (quantity > 0) await restock(sku, quantity);
    return sku;
  }

  /** An order as the shop takes it, told to the channel. */
  async function ordered(channel: string, sku: string, quantity: number, prefix = 'S'): Promise<string> {
    const orderId = `O-${++orders}`;
    const lines = [{ lineId: 'L', channelSku: `${prefix}-${sku}`, quantityUnits: quantity }];
    channelOf.set(orderId, channel);
    const shop = shopOf(orderId);
    shop.placeOrder({ orderId, placedAt: new Date(Date.now() + orders).toISOString(), lines });
    await deliver(host, shop.webhookFor(orderId), channel);
    return orderId;
  }

  /** What the shop did to the order meanwhile, and what its webhook says of that. */
  async function told(orderId: string, ...changes: ('cancelOrder' | 'fulfilOrder' | 'returnOrder')[]) {
    for (const change of changes) shopOf(orderId)[change](orderId, new Date().toISOString());
    await deliver(host, shopOf(orderId).webhookFor(orderId), channelOf.get(orderId));
  }

  async function find(orderId: string): Promise<Oversell | undefined> {
    const [row] = await host.dataSource.query('SELECT id FROM oversells WHERE order_id = $1', [orderId]);
    return row && (await host.api.get<Oversell>(`/v1/oversells/${row.id}`)).body;
  }

  /** Until the channel was asked, and what became of it was not heard. */
  async function outcomeUnknown(orderId: string): Promise<void> {
    await eventually(async () =>
      expect(await find(orderId)).toMatchObject({
        state: 'cancelling',
        cancellations: [{ state: 'intended', error: expect.any(String) as string }],
      }),
    );
  }

  /** Until the order's oversell is in the state. */
  async function reached(orderId: string, state: string): Promise<Oversell> {
    return eventually(async () => {
      const oversell = await find(orderId);
      expect(oversell).toMatchObject({ orderId, state });
      return oversell!;
    });
  }

  describe('by the policy hold', () => {
    test('wait for a person, who sees which orders took the units and how long before', async () => {
      const sku = await stocked(10);
      const [first, second, third] = [
        await ordered('hold', sku, 5),
        await eventually(async () => (expect(await stockOf(sku)).toMatchObject({ reserved: 5 }), 'x')).then(
          () => ordered('cancel', sku, 3),
        ),
        await eventually(async () => (expect(await stockOf(sku)).toMatchObject({ reserved: 8 }), 'x')).then(
          () => ordered('hold', sku, 6),
        ),
      ];
      const oversell = await reached(third, 'held');
      expect(oversell).toMatchObject({
        channel: 'hold',
        units: 4,
        shortfalls: [
          {
            lineId: 'L',
            sku,
            quantity: 4,
            takenBy: [
              { channel: 'cancel', orderId: second, quantity: 3, location: 'main' },
              { channel: 'hold', orderId: first, quantity: 5 },
            ],
          },
        ],
      });
      expect(oversell.candidates).toMatchObject([
        {
          place: 1,
          orderId: third,
          isShort: true,
          freesUnits: 4,
          otherLines: 0,
          reasons: ['a cancellation on hold counts 1', 'placed last'],
        },
        {
          place: 2,
          orderId: first,
          isShort: false,
          freesUnits: 4,
          reasons: [expect.anything(), 'placed first'],
        },
        {
          place: 3,
          channel: 'cancel',
          orderId: second,
          freesUnits: 3,
          penalty: 9,
          reasons: ['frees 3 of the 4 short', 'a cancellation on cancel counts 9', 'placed 2. of 3'],
        },
      ]);
      expect(oversell).toMatchObject({
        cannotCancel: null,
        draft: {
          lines: [{ lineId: 'L', quantityUnits: 4 }],
          reason: 'out of stock',
          message: expect.stringContaining(`4 × S-${sku}, order ${third}`) as string,
        },
      });
      const [taken] = oversell.shortfalls[0]!.takenBy;
      expect(taken!.secondsBefore).toBeGreaterThan(0);
      expect(taken!.secondsBefore).toBeLessThan(30);
      const list = await host.api.get<{ items: Oversell[] }>('/v1/oversells?channel=hold');
      expect(list.body.items.map(({ orderId }) => orderId)).toEqual([third]);
      expect((await host.api.get('/v1/oversells?channel=cancel')).body).toEqual({ items: [] });
    });

    test('take what has come when a person says so, and not before', async () => {
      const sku = await stocked(1);
      const { id } = await reached(await ordered('hold', sku, 4), 'held');
      await restock(sku, 2);
      await sweep();
      expect(await stockOf(sku)).toMatchObject({ available: 2, reserved: 1 });
      expect((await act(id, 'retry')).body).toMatchObject({ state: 'held', units: 1 });
      expect(await stockOf(sku)).toMatchObject({ available: 0, reserved: 3 });
      await restock(sku, 5);
      expect((await act(id, 'retry')).body).toMatchObject({ state: 'resolved', units: 0, shortfalls: [] });
      expect(await stockOf(sku)).toMatchObject({ available: 4, reserved: 4 });
    });

    test('can be closed by hand, and open again when more is short', async () => {
      const sku = await stocked(0);
      const orderId = await ordered('hold', sku, 2);
      const { id } = await reached(orderId, 'held');
      for (let attempt = 0; attempt < 2; attempt++)
        expect(await act(id, 'close', { reason: 'bought next door' })).toMatchObject({ status: 200 });
      await sweep();
      const closed = await reached(orderId, 'closed');
      expect(closed.actions).toMatchObject([{ action: 'close', reason: 'bought next door' }]);
      const lines = [{ id: 'L', sku: `S-${sku}`, ordered: 3, cancelled: 0, fulfilled: 0, returned: 0 }];

      const more = { id: orderId, revision: 9, placed_at: LATER, updated_at: LATER, lines };
      await deliver(host, signedWebhook(more), 'hold');
      expect(await reached(orderId, 'held')).toMatchObject({ units: 3 });
    });

    test('are cancelled by hand, once, with the message that the person wrote', async () => {
      const sku = await stocked(2);
      const orderId = await ordered('hold', sku, 5);
      const { id } = await reached(orderId, 'held');
      const message = 'We are sorry.';
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => act(id, 'cancel', { reason: 'nothing to be had', message })),
      );
      for (const { status } of answers) expect([202, 409]).toContain(status);
      const done = await reached(orderId, 'resolved');
      expect(inShop(orderId)).toEqual({ revision: 2, cancelled: [3] });
      expect(cancelCalls(orderId)).toHaveLength(1);
      expect(done.cancellations).toMatchObject([
        { state: 'done', lines: [{ lineId: 'L', quantityUnits: 3 }], message, actor: 'api:ONHAND_ADMIN_KEY' },
      ]);
      expect(done.actions).toHaveLength(1);
      expect(await act(id, 'cancel')).toMatchObject({ status: 409, body: { code: 'wrong-state' } });
    });

    test('answer what makes no sense with a problem, and change nothing', async () => {
      const sku = await stocked(0);
      const orderId = await ordered('hold', sku, 1);
      const { id } = await reached(orderId, 'held');
      for (const action of ['cancel', 'hold', 'close', 'backorder'])
        for (const body of [undefined, {}, { reason: '' }, { reason: 7 }, { reason: 'x', colour: 'red' }])
          expect((await host.api.post(`/v1/oversells/${id}/${action}`, body)).status).toBe(400);
      expect((await act(id, 'cancel', { reason: 'x', message: 'a\0b' })).status).toBe(400);
      for (const wrong of ['0', '999999', 'x', '1.5', '-1', '99999999999999999999'])
        for (const action of ['cancel', 'retry', 'hold'])
          expect((await host.api.post(`/v1/oversells/${wrong}/${action}`, { reason: 'x' })).status).toBe(404);
      expect((await host.api.get('/v1/oversells?state=lost')).status).toBe(400);
      expect(await find(orderId)).toMatchObject({ state: 'held', actions: [] });
    });
  });

  describe('by the policy cancel', () => {
    test('are cancelled by themselves, told in the channel’s words, until the order says so', async () => {
      const sku = await stocked(2);
      const orderId = await ordered('cancel', sku, 5);
      const done = await reached(orderId, 'resolved');
      expect(inShop(orderId)).toEqual({ revision: 2, cancelled: [3] });
      expect(done.cancellations).toMatchObject([
        {
          state: 'done',
          attempts: 1,
          reason: 'out of stock',
          message: `Sorry: 3 × S-${sku} of ${orderId}, 3 units.`,
          actor: 'policy:cancel',
        },
      ]);
      expect(await stockOf(sku)).toMatchObject({ available: 0, reserved: 2 });
    });

    test('of packs, are cancelled by whole packs', async () => {
      const sku = await stocked(7);
      const orderId = await ordered('cancel', sku, 3, 'SIX');
      await reached(orderId, 'resolved');
      expect(inShop(orderId).cancelled).toEqual([2]);
      await eventually(async () => expect(await stockOf(sku)).toMatchObject({ available: 1, reserved: 6 }));
    });

    test('are left alone when a restock or a cancellation comes within the grace', async () => {
      const [sku, other] = [await stocked(0), await stocked(0)];
      const [restocked, cancelled] = [await ordered('slow', sku, 2), await ordered('slow', other, 2)];
      await reached(restocked, 'grace');
      await reached(cancelled, 'grace');
      await told(cancelled, 'cancelOrder');
      await restock(sku, 5);
      await host.dataSource.query(`UPDATE oversells SET due_at = clock_timestamp() WHERE state = 'grace'`);
      await sweep();
      await reached(restocked, 'resolved');
      await reached(cancelled, 'resolved');
      expect(cancelCalls(restocked)).toEqual([]);
      expect(cancelCalls(cancelled)).toEqual([]);
      expect(await stockOf(sku)).toMatchObject({ available: 3, reserved: 2 });
    });

    test('are held with the reason when the channel cannot cancel them any more', async () => {
      const sku = await stocked(0);
      const orderId = await ordered('slow', sku, 2);
      const { id } = await reached(orderId, 'grace');
      // The shop ships it, and tells nobody.
      shopOf(orderId).fulfilOrder(orderId, LATER);
      await act(id, 'cancel');
      const held = await reached(orderId, 'held');
      expect(held.note).toContain('409');
      expect(held.cancellations).toMatchObject([{ state: 'impossible' }]);
      expect(inShop(orderId).cancelled).toEqual([0]);
    });

    test('are held where nothing may be changed outside', async () => {
      const sku = await stocked(0);
      const orderId = await ordered('observed', sku, 2);
      const { id, note } = await reached(orderId, 'held');
      expect(note).toContain('observed');
      expect(await act(id, 'cancel')).toMatchObject({ status: 409, body: { code: 'wrong-state' } });
      expect(cancelCalls(orderId)).toEqual([]);
    });

    test('whose answer is lost are looked at before they are asked for again, and not cancelled twice', async () => {
      const sku = await stocked(0);
      const orderId = await ordered('slow', sku, 2);
      const { id } = await reached(orderId, 'grace');
      shops.get('slow')!.faults({ loseAnswer: 1 });
      await act(id, 'cancel');
      await outcomeUnknown(orderId);
      shops.get('slow')!.faults({ loseAnswer: 0 });
      const calls = cancelCalls(orderId).length;
      await eventually(async () => {
        await host.dataSource.query(`UPDATE oversells SET due_at = clock_timestamp() WHERE id = $1`, [id]);
        await sweep();
        expect(await find(orderId)).toMatchObject({ state: 'resolved' });
      });
      expect(inShop(orderId)).toEqual({ revision: 2, cancelled: [2] });
      expect(cancelCalls(orderId)).toHaveLength(calls);
    });

    test('of a channel whose orders cannot be read are asked for again under the same id', async () => {
      const sku = await stocked(0);
      shops.get('unread')!.faults({ loseAnswer: 1 });
      const orderId = await ordered('unread', sku, 2);
      await outcomeUnknown(orderId);
      shops.get('unread')!.faults({ loseAnswer: 0 });
      const calls = cancelCalls(orderId).length;
      const pending = await eventually(async () => {
        await host.dataSource.query(
          `UPDATE oversells SET due_at = least(due_at, clock_timestamp()) WHERE order_id = $1`,
          [orderId],
        );
        await sweep();
        return reached(orderId, 'pending');
      });
      expect(cancelCalls(orderId).length).toBeGreaterThan(calls);
      expect(pending.cancellations).toMatchObject([{ state: 'cancelled' }]);
      expect(inShop(orderId)).toEqual({ revision: 2, cancelled: [2] });
      await told(orderId);
      await reached(orderId, 'resolved');
    });

    test('that the channel cancels later are followed up until the order says so', async () => {
      const sku = await stocked(0);
      const orderId = await ordered('later', sku, 2);
      const { cancellations } = await reached(orderId, 'pending');
      expect(cancellations).toMatchObject([{ state: 'pending', receipt: 'R-1' }]);
      await host.dataSource.query(
        `UPDATE oversells SET changed_at = changed_at - interval '2 days' WHERE order_id = $1`,
        [orderId],
      );
      await sweep();
      const { id } = await reached(orderId, 'held');
      // Asked again it is the same cancellation, for the channel may yet carry out the first.
      await act(id, 'cancel');
      expect((await reached(orderId, 'pending')).cancellations).toMatchObject([{ id: cancellations[0]!.id }]);
      await told(orderId, 'cancelOrder');
      expect((await reached(orderId, 'resolved')).cancellations).toMatchObject([{ state: 'done' }]);
    });

    test('are held when the plugin is refused, and tried again when it answers nonsense', async () => {
      const sku = await stocked(0);
      const [refused, strange] = [await ordered('refused', sku, 1), await ordered('strange', sku, 1)];
      expect((await reached(refused, 'held')).note).toContain('refuses the credentials');
      await eventually(async () =>
        expect(await find(strange)).toMatchObject({
          state: 'cancelling',
          cancellations: [{ state: 'intended', error: expect.stringContaining('must answer') as string }],
        }),
      );
      await act((await find(strange))!.id, 'hold').then(({ status }) => expect([200, 409]).toContain(status));
    });

    test('are cancelled once by two hosts', async () => {
      const second = await start();
      try {
        const skus = [await stocked(0), await stocked(0)];
        const placed: string[] = [];
        for (let index = 0; index < 10; index++) placed.push(await ordered('cancel', skus[index % 2]!, 1));
        await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            [host, second][index % 2]!.app.get(JobsService).run('handle-oversells'),
          ),
        );
        for (const orderId of placed) {
          await reached(orderId, 'resolved');
          expect(cancelCalls(orderId)).toHaveLength(1);
          expect(inShop(orderId)).toEqual({ revision: 2, cancelled: [1] });
        }
      } finally {
        await second.close();
      }
    });
  });

  describe('by the policy backorder', () => {
    test('get what comes, the oldest first', async () => {
      const sku = await stocked(0);
      const placed: string[] = [];
      for (let index = 0; index < 4; index++) placed.push(await ordered('backorder', sku, 2));
      for (const orderId of placed) await reached(orderId, 'backordered');
      await restock(sku, 5);
      await reached(placed[0]!, 'resolved');
      await reached(placed[1]!, 'resolved');
      await eventually(async () =>
        expect(await find(placed[2]!)).toMatchObject({ state: 'backordered', units: 1 }),
      );
      expect(await find(placed[3]!)).toMatchObject({ state: 'backordered', units: 2 });
      expect(await stockOf(sku)).toMatchObject({ available: 0, reserved: 5 });
    });

    test('get what a cancelled order gives back, and what a customer sends back', async () => {
      const sku = await stocked(3);
      const [first, second] = [await ordered('backorder', sku, 2), await ordered('backorder', sku, 1)];
      await eventually(async () => expect(await stockOf(sku)).toMatchObject({ reserved: 3 }));
      const waiting = await ordered('backorder', sku, 3);
      await reached(waiting, 'backordered');
      await told(second, 'cancelOrder');
      await eventually(async () => expect(await find(waiting)).toMatchObject({ units: 2 }));
      await told(first, 'fulfilOrder', 'returnOrder');
      await reached(waiting, 'resolved');
      expect(await stockOf(sku)).toMatchObject({ available: 0, reserved: 3, quarantined: 0 });
    });

    test('a held order that is put on backorder is filled at once from what is there', async () => {
      const sku = await stocked(0);
      const { id, orderId } = await reached(await ordered('hold', sku, 2), 'held');
      await restock(sku, 2);
      expect((await act(id, 'backorder')).status).toBe(200);
      await reached(orderId, 'resolved');
      expect(await stockOf(sku)).toMatchObject({ available: 0, reserved: 2 });
    });
  });
});
