import { existsSync, readFileSync } from 'node:fs';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { CountingListener } from '../support/counting-listener';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { GENERIC_REST_PACKAGE, HostFolder, type SpawnedHost } from '../support/host';
import type { Answer, ProblemAnswer } from '../support/host-client';
import { type Hostility, HostileShop } from '../support/hostile-shop';
import { listingsCsv, WEBHOOK_SECRET } from '../support/shop-host';

const SKUS = ['A', 'B', 'C', 'D'];
/** A parser makes of the ten megabytes of an answer up to fifty times as much; a gigabyte would show. */
const MOST_MEGABYTES = 600;
const TIMEOUT_MS = 2_000;
const HEAP = { NODE_OPTIONS: '--max-old-space-size=256' };

/** What each hostility is told as, for a push and for a comparison. */
const HOSTILITIES: [Hostility, pushed: RegExp, compared: RegExp][] = [
  ['refuses', /could not be reached or broke off \(ECONNREFUSED\)/, /ECONNREFUSED/],
  [
    'resets',
    /could not be reached or broke off \((ECONNRESET|UND_ERR_SOCKET)\)/,
    /ECONNRESET|UND_ERR_SOCKET/,
  ],
  ['is silent', /gave no complete answer within 2 s; the call may have been applied/, /within 2 s/],
  ['trickles', /gave no complete answer within 2 s/, /within 2 s/],
  ['never ends its headers', /broke off \(UND_ERR_HEADERS_OVERFLOW\)/, /UND_ERR_HEADERS_OVERFLOW/],
  ['never ends its body', /answered more than 10485760 bytes/, /answered more than 10485760 bytes/],
  ['packs a gigabyte', /answered more than 10485760 bytes/, /answered more than 10485760 bytes/],
  ['nests without end', /that is not JSON/, /that is not JSON/],
  ['has wrong types', /no list at "results"|without a result for this SKU/, /no list at "items"/],
  ['is a web page', /answered 200 with text\/html that is not JSON/, /text\/html that is not JSON/],
  ['redirects', /redirect not followed/, /redirect not followed/],
  ['applies and hangs up', /UND_ERR_SOCKET|ECONNRESET/, /UND_ERR_SOCKET|ECONNRESET/],
  ['pages without end', /no list at "results"/, /goes on after 50 pages/],
];

interface Status {
  items: { name: string; state: string; dirty: number; parkedListings: number; lastError: string | null }[];
}

describe('a channel that answers with whatever harms', () => {
  let database: TestDatabase;
  let behind: ChannelSimulator;
  let other: ChannelSimulator;
  let hostile: HostileShop;
  let inner: CountingListener;
  let folder: HostFolder;
  let host: SpawnedHost;
  let stock = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    [behind, other] = (await Promise.all(
      [1, 2].map((seed) => startSimulator({ webhookSecret: WEBHOOK_SECRET, seed })),
    )) as [ChannelSimulator, ChannelSimulator];
    inner = await CountingListener.start();
    hostile = await HostileShop.start(behind.url, `http://127.0.0.1:${inner.port}/`);
    for (const shop of [behind, other])
      shop.list(SKUS.map((channelSku) => ({ channelSku, quantityUnits: 0 })));
    const channel = (name: string, shop: ChannelSimulator, options = {}) => ({
      name,
      plugin: GENERIC_REST_PACKAGE,
      options: {
        ...shop.pluginOptions,
        limit: { perSecond: 1_000, burst: 1_000 },
        timeoutMs: TIMEOUT_MS,
        read: { paging: { maxPages: 50 } },
        ...options,
      },
      listings: listingsCsv(SKUS.map((sku) => [sku, sku, 1])),
    });
    folder = await HostFolder.create(
      { channels: [channel('hostile', behind, { baseUrl: hostile.url }), channel('other', other)] },
      database.url,
    );
    host = await folder.start({ logLevel: 'info', env: HEAP });
  });

  afterAll(async () => {
    await folder.remove();
    await Promise.all([hostile, inner, behind, other].map((each) => each.close()));
    await database.drop();
  });

  const statusOf = async (name: string) =>
    (await host.api.get<Status>('/v1/channels')).body.items.find((channel) => channel.name === name)!;

  async function restock(): Promise<void> {
    stock += 1;
    for (const sku of SKUS) await host.api.post('/v1/events', { type: 'RESTOCK', sku, quantity: 1 });
  }

  const shows = (shop: ChannelSimulator) => SKUS.map((sku) => shop.shown().get(sku));

  test.each(HOSTILITIES)(
    'that %s holds up nobody, is told, and is made good',
    async (hostility, pushed, compared) => {
      const comparison = await hostile.being(hostility, async () => {
        await restock();
        await eventually(() => expect(shows(other)).toEqual(SKUS.map(() => stock)));
        await eventually(async () => {
          const status = await statusOf('hostile');
          expect(status).toMatchObject({ state: 'ready', parkedListings: 0 });
          expect(status.lastError).toMatch(pushed);
        });
        return host.api.post<ProblemAnswer>('/v1/channels/hostile/reconcile');
      });
      expect(comparison.body.code).toMatch(/^channel-/);
      expect(comparison.body.detail).toMatch(compared);
      await eventually(() => expect(shows(behind)).toEqual(SKUS.map(() => stock)), 20_000);
      await eventually(async () =>
        expect(await statusOf('hostile')).toMatchObject({ dirty: 0, lastError: null }),
      );
      expect(hostile.sentBytes).toBeLessThan(100_000_000);
    },
    60_000,
  );

  test('each attempt is in the history of its listing, with what came of it', async () => {
    const listed: Answer<{ items: { id: number }[] }> = await host.api.get('/v1/channels/hostile/listings');
    const history: Answer<{ items: { state: string; reason: string | null }[] }> = await host.api.get(
      `/v1/listings/${listed.body.items[0]!.id}/pushes?limit=200`,
    );
    const reasons = history.body.items.map(({ reason }) => reason ?? '').join('\n');
    for (const [, pushed] of HOSTILITIES) expect(reasons).toMatch(pushed);
    expect(history.body.items[0]).toMatchObject({ state: 'applied' });
  });

  test('nobody was called whom a redirect led to, and connections were few', () => {
    expect(inner.connections).toBe(0);
    expect(hostile.mostOpen).toBeLessThanOrEqual(16);
  });

  test('the memory of the host stayed bounded', () => {
    const status = `/proc/${host.pid}/status`;
    if (!existsSync(status)) return;
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(status, 'utf8'))![1];
    expect(Number(peak) / 1024).toBeLessThan(MOST_MEGABYTES);
  });

  test('every socket is let go, and the host stops in good order', async () => {
    expect(host.output()).not.toMatch(/unhandled|uncaught/i);
    expect(await host.kill('SIGTERM')).toBe('SIGTERM');
    await eventually(() => expect(hostile.openConnections).toBe(0));
  });
});
