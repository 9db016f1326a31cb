import { connect, fuzzPlugin, samplesOf } from '../fuzz/plugin-fuzzer';
import { PLUGINS } from '../fuzz/plugins';
import { HttpFuzzer } from '../fuzz/http-fuzzer';
import { prepare } from '../fuzz/host-fuzz';
import { countRows } from '../support/row-counts';
import { listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';

/** Another one is run by `npm run fuzz -- --seed N`. */
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const REQUESTS = 900;
const MESSAGES = 300;
/** On a quiet machine it takes a tenth of that. */
const LONGEST_MS = 120_000;
/** What `prepare` posts: three SKUs stocked, three reservations. */
const EVENTS_BEFORE = 6;

describe('whatever is sent to the API', () => {
  let host: ShopHost;
  let prepared: Awaited<ReturnType<typeof prepare>>;
  const prototype = Object.getOwnPropertyNames(Object.prototype).join();
  const rejected: unknown[] = [];
  const note = (reason: unknown) => void rejected.push(reason);

  beforeAll(async () => {
    process.on('unhandledRejection', note);
    host = await startShopHost({
      shows: ['S-A', 'S-B'],
      shop: { listings: listingsCsv([['S-A', 'A', 1]]), pollOrdersEverySeconds: 0 },
    });
    prepared = await prepare(host.api);
  });

  afterAll(async () => {
    await host.close();
    process.off('unhandledRejection', note);
  });

  async function run(keys: readonly (string | undefined)[], requests: number): Promise<HttpFuzzer> {
    const fuzzer = new HttpFuzzer({ ...prepared, keys, seed: SEED });
    try {
      await fuzzer.run(requests);
    } finally {
      await fuzzer.close();
    }
    return fuzzer;
  }

  test(
    'without a key, or with one that is none, writes no row',
    async () => {
      const before = await countRows(host.dataSource);
      const { findings, statuses } = await run([undefined, 'onhand_unknown'], REQUESTS / 3);
      expect(findings).toEqual([]);
      expect(await countRows(host.dataSource)).toEqual(before);
      expect(statuses.get(401)).toBeGreaterThan(REQUESTS / 6);
    },
    LONGEST_MS,
  );

  test(
    'is answered, and never by a fault of the host; the ledger is whole then',
    async () => {
      const { findings, statuses } = await run(prepared.keys, REQUESTS);
      expect(findings).toEqual([]);
      for (const status of [200, 400, 403, 404])
        expect({ status, times: statuses.get(status) ?? 0 }).not.toEqual({ status, times: 0 });
      expect(rejected).toEqual([]);
      expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(prototype);
      expect({}).not.toHaveProperty('isAdmin');
      const { body } = await host.api.post<{ ok: boolean; events: number }>('/v1/ledger/verify?wait=20');
      expect(body).toMatchObject({ ok: true, violations: [] });
      // Some of it was taken, or it would not have come far.
      expect(body.events).toBeGreaterThan(EVENTS_BEFORE);
    },
    LONGEST_MS,
  );
});

describe.each(PLUGINS)('whatever is sent as a webhook of $name', ({ plugin, start }) => {
  test('is refused unless it was signed as it is, and understood or untranslatable', async () => {
    const simulator = await start({ webhookSecret: 'canary-webhook-secret' });
    const channel = await connect(plugin, simulator);
    try {
      const findings = await fuzzPlugin(channel, samplesOf(simulator), { seed: SEED, messages: MESSAGES });
      expect(findings).toEqual([]);
    } finally {
      await channel.close?.();
      await simulator.close();
    }
  });
});
