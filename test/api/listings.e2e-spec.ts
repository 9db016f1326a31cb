import { ListingsService } from '../../src/channels/listings.service';
import type { ProblemAnswer } from '../support/host-client';
import { listingsCsv, type ShopHost, startShopHost } from '../support/shop-host';

const IMPORT = '/v1/channels/shop/listings/import';
const NUMBER = expect.any(Number) as number;

interface Report extends ProblemAnswer {
  applied: boolean;
  dryRun: boolean;
  counts: Record<string, number>;
  createdSkus: string[];
  rows: { line: number; channelSku: string; status: string; reason?: string; note?: string }[];
}

interface Listed {
  items: { channelSku: string; components: { sku: string; units: number }[]; quantity: number }[];
  nextCursor?: string;
}

describe('listings', () => {
  let host: ShopHost;

  beforeAll(async () => {
    host = await startShopHost({
      shop: { listings: listingsCsv([['FILED', 'A', 1]]), cap: 90, buffer: { units: 1 } },
    });
    await host.api.post('/v1/skus', [{ sku: 'B' }, { sku: 'C' }, { sku: 'OLD' }]);
    await host.api.post('/v1/events', [
      { type: 'RESTOCK', sku: 'A', quantity: 100 },
      { type: 'RESTOCK', sku: 'B', quantity: 40 },
    ]);
  });

  afterAll(() => host.close());

  /** All that a refused import must leave as it is. */
  const mapping = (): Promise<unknown[]> =>
    host.dataSource.query(
      `SELECT (SELECT json_agg(l ORDER BY id) FROM listings l) AS listings,
              (SELECT json_agg(c ORDER BY listing_id, sku_id) FROM listing_components c) AS components,
              (SELECT json_agg(s ORDER BY id) FROM skus s) AS skus`,
    );
  const importCsv = (csv: string | Buffer, query = '') => host.api.postCsv<Report>(`${IMPORT}${query}`, csv);
  const importRows = (rows: unknown, query = '') => host.api.post<Report>(`${IMPORT}${query}`, rows);
  const put = (channelSku: string, body: unknown) =>
    host.api.put<Report>(`/v1/channels/shop/listings/${encodeURIComponent(channelSku)}`, body);
  const listed = async (query = '') =>
    (await host.api.get<Listed>(`/v1/channels/shop/listings?limit=500${query}`)).body.items;
  const find = async (channelSku: string) =>
    (await listed(`&channelSku=${encodeURIComponent(channelSku)}`))[0];
  const statuses = ({ rows }: Report) =>
    rows.map(({ line, channelSku, status }) => [line, channelSku, status]);

  describe('of an import', () => {
    test('are there at once, packs and bundles with what they have of their own', async () => {
      const csv =
        'channel_sku,sku,units,cap,buffer_units,buffer_percent\n' +
        'I-1,A,,,,\nI-6,A,6,10,0,\nI-SET,A,2,,,50\nI-SET,B,1,,,\n';
      const { status, body } = await importCsv(csv);
      expect(status).toBe(200);
      expect(body).toEqual({
        applied: true,
        dryRun: false,
        counts: { created: 4, changed: 0, unchanged: 0, refused: 0, skipped: 0 },
        createdSkus: [],
        rows: [
          { line: 2, channelSku: 'I-1', status: 'created' },
          { line: 3, channelSku: 'I-6', status: 'created' },
          { line: 4, channelSku: 'I-SET', status: 'created' },
          { line: 5, channelSku: 'I-SET', status: 'created' },
        ],
      });
      const own = { origin: 'api', cap: null, bufferUnits: null, bufferPercent: null };
      expect(await listed('&origin=api')).toEqual([
        expect.objectContaining({
          channelSku: 'I-1',
          components: [{ sku: 'A', units: 1 }],
          ...own,
          quantity: 90,
        }),
        // 100 units make 16 packs, of which 10 are shown.
        expect.objectContaining({
          channelSku: 'I-6',
          components: [{ sku: 'A', units: 6 }],
          ...own,
          cap: 10,
          bufferUnits: 0,
          quantity: 10,
        }),
        // Half of 100 is withheld, 50 make 25 of two; half of 40 is withheld.
        expect.objectContaining({
          channelSku: 'I-SET',
          components: [
            { sku: 'A', units: 2 },
            { sku: 'B', units: 1 },
          ],
          ...own,
          bufferPercent: 50,
          quantity: 20,
        }),
      ]);
    });

    test('sent again change nothing, and what differs alone is changed', async () => {
      await importRows([
        { channelSku: 'R-1', sku: 'A' },
        { channelSku: 'R-2', sku: 'B', units: 2 },
      ]);
      const revisions = () => host.dataSource.query(`SELECT channel_sku, revision FROM listings ORDER BY id`);
      const before = await revisions();
      const again = await importRows([
        { channelSku: 'R-1', sku: 'A', units: 1, cap: null },
        { channelSku: 'R-2', sku: 'B', units: 2 },
      ]);
      expect(again.body.counts).toMatchObject({ unchanged: 2, changed: 0, created: 0 });
      expect(await revisions()).toEqual(before);
      const other = await importRows([
        { channelSku: 'R-1', sku: 'A' },
        { channelSku: 'R-2', sku: 'B', units: 3 },
      ]);
      expect(statuses(other.body)).toEqual([
        [1, 'R-1', 'unchanged'],
        [2, 'R-2', 'changed'],
      ]);
      expect(await find('R-2')).toMatchObject({ components: [{ sku: 'B', units: 3 }] });
    });

    test('of which one row is wrong change nothing, and every row is answered', async () => {
      const before = await mapping();
      const csv = 'channel_sku,sku,units\nW-1,A,1\nW-2,A,0\nW-SET,A,1\nW-SET,NONE,1\n,A,1\nFILED,B,1\n';
      const { status, body } = await importCsv(csv);
      expect(status).toBe(422);
      expect(body).toMatchObject({
        type: 'urn:onhand:problem:listings-refused',
        code: 'listings-refused',
        applied: false,
      });
      expect(body.rows).toEqual([
        { line: 2, channelSku: 'W-1', status: 'skipped' },
        {
          line: 3,
          channelSku: 'W-2',
          status: 'refused',
          reason: 'units must be a whole number from 1 to 1000000',
        },
        {
          line: 4,
          channelSku: 'W-SET',
          status: 'refused',
          reason: expect.stringMatching(/no SKU "NONE"/) as string,
        },
        {
          line: 5,
          channelSku: 'W-SET',
          status: 'refused',
          reason: expect.stringMatching(/no SKU "NONE"/) as string,
        },
        {
          line: 6,
          channelSku: '',
          status: 'refused',
          reason: expect.stringMatching(/^channel_sku must be/) as string,
        },
        {
          line: 7,
          channelSku: 'FILED',
          status: 'refused',
          reason: expect.stringMatching(/is kept in \/.*\.csv/) as string,
        },
      ]);
      expect(await mapping()).toEqual(before);
      expect(await find('FILED')).toMatchObject({ components: [{ sku: 'A', units: 1 }], origin: 'file' });
    });

    test('of which one row is badly written are not written either, though the rest could be', async () => {
      const before = await mapping();
      const { status, body } = await importCsv('channel_sku,sku,units\nW-1,A,1\nW-2,A,0\n');
      expect(status).toBe(422);
      expect(body.counts).toMatchObject({ skipped: 1, refused: 1, created: 0 });
      expect(await mapping()).toEqual(before);
    });

    test('are written without those that are wrong when that is asked for', async () => {
      const csv = 'channel_sku,sku,units\nP-1,A,1\nP-SET,A,1\nP-SET,B,-1\nP-2,NONE,1\n';
      const { status, body } = await importCsv(csv, '?partial=true');
      expect(status).toBe(200);
      expect(statuses(body)).toEqual([
        [2, 'P-1', 'created'],
        [3, 'P-SET', 'skipped'],
        [4, 'P-SET', 'refused'],
        [5, 'P-2', 'refused'],
      ]);
      expect(body.rows[1]!.reason).toBe('another row of P-SET is refused');
      expect([await find('P-1'), await find('P-SET'), await find('P-2')]).toEqual([
        expect.objectContaining({ channelSku: 'P-1' }),
        undefined,
        undefined,
      ]);
    });

    test.each(['', '&createSkus=true'])('are only told of in a dry run%s', async (more) => {
      const before = await mapping();
      const { status, body } = await importCsv('channel_sku,sku\nD-1,A\nD-2,D-NEW\n', `?dryRun=true${more}`);
      expect(status).toBe(200);
      expect(body).toMatchObject({ applied: false, dryRun: true });
      expect(statuses(body)).toEqual(
        more === ''
          ? [
              [2, 'D-1', 'skipped'],
              [3, 'D-2', 'refused'],
            ]
          : [
              [2, 'D-1', 'created'],
              [3, 'D-2', 'created'],
            ],
      );
      expect(body.createdSkus).toEqual(more === '' ? [] : ['D-NEW']);
      expect(await mapping()).toEqual(before);
      expect((await host.api.get('/v1/stock/D-NEW')).status).toBe(404);
    });

    test('make the SKUs that nobody has when that is asked for', async () => {
      const { body } = await importCsv('channel_sku,sku\nM-1,M-NEW\n', '?createSkus=true');
      expect(body).toMatchObject({ applied: true, createdSkus: ['M-NEW'] });
      expect((await host.api.get('/v1/stock/M-NEW')).body).toMatchObject({ sku: 'M-NEW' });
    });
  });

  describe('of an import that is not what it must be', () => {
    const ROW = { channelSku: 'BAD', sku: 'A' };
    const NO_CHANNEL_SKU = [
      undefined,
      null,
      '',
      7,
      {},
      [],
      'A\r\nB',
      'A\nX: y',
      'A\u0085',
      '\ud800',
      'x'.repeat(201),
    ];
    const NO_SKU = [...NO_CHANNEL_SKU, ' A', 'A ', 'x'.repeat(101)];
    const NO_COUNT = ['1', '', -1, 1.5, 1e21, 2 ** 53, true, [], {}];

    test.each<[string, unknown[], RegExp]>([
      ['channelSku', NO_CHANNEL_SKU, /^channelSku must be/],
      ['sku', NO_SKU, /^sku must be/],
      ['units', [...NO_COUNT, 0, null, 1_000_001], /^units must be/],
      ['cap', [...NO_COUNT, 1_000_000_001], /^cap must be/],
      ['bufferUnits', NO_COUNT, /^bufferUnits must be/],
      ['bufferPercent', ['5', -0.1, 100.1, 1e21, true, [], {}], /^bufferPercent must be/],
    ])('the field %s is refused in its row', async (field, values, says) => {
      const before = await mapping();
      const { status, body } = await importRows(values.map((value) => ({ ...ROW, [field]: value })));
      expect(status).toBe(422);
      // Repeated rows are refused as such, so only what is said of the first ones tells.
      expect(body.rows.map(({ reason }) => reason)).toEqual(
        values.map(() => expect.stringMatching(says) as string),
      );
      expect(await mapping()).toEqual(before);
    });

    test('rows that are no objects, or have other fields, are refused each', async () => {
      const { status, body } = await importRows([
        null,
        7,
        'x',
        [],
        { ...ROW, price: 1 },
        { ...ROW, sku: 'B', id: 1 },
      ]);
      expect(status).toBe(422);
      expect(body.rows.map(({ status: each }) => each)).toEqual(Array(6).fill('refused'));
      expect(body.rows[4]!.reason).toBe('price is not a field of a row');
    });

    test.each(['__proto__', 'constructor', 'toString'])(
      'the field %s reaches no prototype',
      async (field) => {
        const body = `[{"channelSku":"S","sku":"A","${field}":{"units":9}}]`;
        const answer = await host.api.send<ProblemAnswer>('POST', IMPORT, {
          headers: { 'content-type': 'application/json' },
          body,
        });
        expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
      },
    );

    test('a column that every object has is no column of ours', async () => {
      const { body } = await importCsv(
        'channel_sku,sku,__proto__,constructor\n__proto__,A,9,9\nconstructor,A,9,9\n',
      );
      expect(body).toMatchObject({ applied: true, counts: { created: 2 } });
      expect(await find('__proto__')).toMatchObject({ components: [{ sku: 'A', units: 1 }], cap: null });
    });

    test.each<[string, () => Promise<{ status: number; body: Report }>, number]>([
      ['nothing', () => importCsv(''), 400],
      ['a header alone', () => importCsv('channel_sku,sku\n'), 400],
      ['no header', () => importCsv('S,A\n'), 400],
      ['an open quote', () => importCsv('channel_sku,sku\n"S,A\n'), 400],
      ['another encoding', () => importCsv(Buffer.from('channel_sku,sku\ncaf\xe9,A\n', 'latin1')), 400],
      ['more than is taken', () => importCsv(Buffer.alloc(33 * 1024 * 1024, 'x')), 413],
      ['an object', () => importRows({ rows: [ROW] }), 400],
      ['an empty list', () => importRows([]), 400],
      ['a flag that is none', () => importRows([ROW], '?partial=yes'), 400],
      ['a flag given twice', () => importRows([ROW], '?partial=true&partial=true'), 400],
      ['a query of its own', () => importRows([ROW], '?force=true'), 400],
    ])('%s is refused whole', async (_name, send, status) => {
      const before = await mapping();
      const answer = await send();
      expect({ status: answer.status, type: answer.body.type }).toEqual({
        status,
        type: expect.stringMatching(/^urn:onhand:problem:(invalid-request|payload-too-large)$/) as string,
      });
      expect(await mapping()).toEqual(before);
    });

    test('CSV is taken nowhere else, and without a key it is not even read', async () => {
      const elsewhere = await host.api.postCsv('/v1/skus', 'sku\nA\n');
      expect(elsewhere).toMatchObject({ status: 415 });
      const unknown = await host.api
        .withKey('onhand_none')
        .postCsv(IMPORT, Buffer.alloc(40 * 1024 * 1024, 'x'))
        .catch(() => undefined);
      expect([401, undefined]).toContain(unknown?.status);
      expect(
        await host.api.postCsv('/v1/channels/none/listings/import', 'channel_sku,sku\nS,A\n'),
      ).toMatchObject({
        status: 404,
      });
    });
  });

  describe('one by one', () => {
    test('are made, changed and taken away', async () => {
      const made = await put('ONE', { components: [{ sku: 'A', units: 2 }, { sku: 'B' }], cap: 5 });
      expect(made).toMatchObject({ status: 200 });
      expect(made.body).toEqual({
        id: NUMBER,
        channel: 'shop',
        channelSku: 'ONE',
        components: [
          { sku: 'A', units: 2 },
          { sku: 'B', units: 1 },
        ],
        origin: 'api',
        cap: 5,
        bufferUnits: null,
        bufferPercent: null,
        status: 'created',
      });
      expect(
        (await put('ONE', { components: [{ sku: 'B' }, { sku: 'A', units: 2 }], cap: 5 })).body,
      ).toMatchObject({
        status: 'unchanged',
      });
      expect((await put('ONE', { components: [{ sku: 'A' }] })).body).toMatchObject({
        status: 'changed',
        cap: null,
      });
      for (let time = 0; time < 2; time++)
        expect((await host.api.delete('/v1/channels/shop/listings/ONE')).status).toBe(204);
      expect(await find('ONE')).toBeUndefined();
      expect((await put('ONE', { components: [{ sku: 'A' }] })).body).toMatchObject({ status: 'created' });
      expect((await host.api.delete('/v1/channels/shop/listings/NEVER')).status).toBe(404);
    });

    test('have names of any kind', async () => {
      for (const name of ['a/b', 'ä ö', ' spaced ', '../x', '?&#', '%41', 'x'.repeat(200), 'import']) {
        expect((await put(name, { components: [{ sku: 'A' }] })).body).toMatchObject({
          status: 'created',
          channelSku: name,
        });
        expect(await find(name)).toMatchObject({ channelSku: name });
        expect((await host.api.delete(`/v1/channels/shop/listings/${encodeURIComponent(name)}`)).status).toBe(
          204,
        );
      }
    });

    test('that the file keeps are changed there alone', async () => {
      const answers = [
        await put('FILED', { components: [{ sku: 'B' }] }),
        await host.api.delete<ProblemAnswer>('/v1/channels/shop/listings/FILED'),
      ];
      for (const { status, body } of answers) {
        expect({ status, code: body.code }).toEqual({ status: 409, code: 'listing-of-file' });
        expect(body.detail).toMatch(
          /"FILED" is kept in \/.*\.csv, which is read at each start; change it there/,
        );
      }
      expect(await find('FILED')).toMatchObject({ components: [{ sku: 'A', units: 1 }] });
      // Nothing would be changed, so nothing is refused.
      expect((await put('FILED', { components: [{ sku: 'A' }] })).body).toMatchObject({
        status: 'unchanged',
        origin: 'file',
      });
    });

    const GOOD = { components: [{ sku: 'A', units: 1 }] };
    test.each<[string, unknown[]]>([
      ['components', [undefined, null, 'A', {}, [], ['A'], [[]], [null], Array(101).fill({ sku: 'A' })]],
      [
        'components[0].sku',
        [undefined, 7, '', ' A', 'A\r\nB', 'A\u0000', 'x'.repeat(101)].map((sku) => [{ sku }]),
      ],
      ['components[0].units', ['1', 0, -1, 1.5, 1e21, null, 1_000_001].map((units) => [{ sku: 'A', units }])],
      ['components[0].price', [[{ sku: 'A', price: 1 }]]],
      ['components[1].sku', [[{ sku: 'A' }, { sku: 'A', units: 2 }]]],
      ['cap', ['1', -1, 1.5, 1e21, true]],
      ['bufferUnits', ['1', -1, 1.5, 1e21]],
      ['bufferPercent', ['1', -1, 100.5, 1e21]],
      ['origin', ['file']],
    ])('are refused with another %s', async (field, values) => {
      const before = await mapping();
      for (const value of values) {
        const top = field.replace(/\[.*/, '');
        const { status, body } = await put('BAD', { ...GOOD, [top]: value });
        expect({ value, status, code: body.code }).toEqual({ value, status: 400, code: 'invalid-request' });
      }
      expect(await mapping()).toEqual(before);
    });

    test('name SKUs that exist, each once, whatever it was called', async () => {
      expect(await put('BAD', { components: [{ sku: 'NONE' }] })).toMatchObject({
        status: 422,
        body: { code: 'unknown-sku' },
      });
      await host.api.patch('/v1/skus/OLD', { sku: 'NEW' });
      expect((await put('RENAMED', { components: [{ sku: 'OLD' }] })).body).toMatchObject({
        components: [{ sku: 'NEW', units: 1 }],
        note: 'OLD is called NEW now',
      });
      expect(await put('BAD', { components: [{ sku: 'OLD' }, { sku: 'NEW' }] })).toMatchObject({
        status: 400,
      });
      const { body } = await importCsv('channel_sku,sku\nRENAMED-2,OLD\n');
      expect(body.rows).toEqual([
        { line: 2, channelSku: 'RENAMED-2', status: 'created', note: 'OLD is called NEW now' },
      ]);
      expect((await listed('&sku=OLD')).map(({ channelSku }) => channelSku)).toEqual([
        'RENAMED',
        'RENAMED-2',
      ]);
    });
  });

  test('are found by channel SKU, by ours and by who keeps them, page by page', async () => {
    expect((await listed('&origin=file')).map(({ channelSku }) => channelSku)).toEqual(['FILED']);
    expect(await listed('&channelSku=NONE')).toEqual([]);
    expect(await listed('&sku=NONE')).toEqual([]);
    const all = await listed('&sku=B');
    const first = await host.api.get<Listed>('/v1/channels/shop/listings?sku=B&limit=1');
    const second = await host.api.get<Listed>(
      `/v1/channels/shop/listings?sku=B&limit=1&cursor=${first.body.nextCursor}`,
    );
    expect([...first.body.items, ...second.body.items]).toEqual(all.slice(0, 2));
    for (const query of ['origin=none', 'sku=%20A', 'channelSku=', 'limit=0', 'cursor=x', 'state=x'])
      expect((await host.api.get(`/v1/channels/shop/listings?${query}`)).status).toBe(400);
  });
});

describe('a listings file and the API', () => {
  test('keep to their own listings, and the file may take one over', async () => {
    const host = await startShopHost({
      shop: {
        listings: listingsCsv([
          ['F-1', 'A', 1],
          ['F-2', 'A', 2],
        ]),
      },
    });
    try {
      const listings = host.app.get(ListingsService);
      await host.api.postCsv(IMPORT, 'channel_sku,sku\nAPI-1,A\nAPI-2,A\n');
      const draft = (channelSku: string, units = 1) => ({ channelSku, components: [{ sku: 'A', units }] });
      const known = () => listings.ofChannel('shop').map(({ channelSku, origin }) => [channelSku, origin]);
      const report = await listings.replace('shop', [draft('F-1'), draft('API-2', 3)]);
      expect(report).toMatchObject({ retired: 1, takenOver: ['API-2'] });
      expect(known().sort()).toEqual([
        ['API-1', 'api'],
        ['API-2', 'file'],
        ['F-1', 'file'],
      ]);
      // What the file no longer names may be made by the API.
      const revived = await host.api.put('/v1/channels/shop/listings/F-2', { components: [{ sku: 'A' }] });
      expect(revived).toMatchObject({ status: 200, body: { origin: 'api', status: 'created' } });
      await listings.replace('shop', [draft('F-1')]);
      expect(known().sort()).toEqual([
        ['API-1', 'api'],
        ['F-1', 'file'],
        ['F-2', 'api'],
      ]);
    } finally {
      await host.close();
    }
  });

  test('a channel that names no file any more leaves its listings to the API', async () => {
    const host = await startShopHost({ shop: {} });
    try {
      const listings = host.app.get(ListingsService);
      await listings.replace('shop', [{ channelSku: 'F-1', components: [{ sku: 'A', units: 1 }] }]);
      const { status, body } = await host.api.put('/v1/channels/shop/listings/F-1', {
        components: [{ sku: 'A', units: 2 }],
      });
      expect({ status, body }).toMatchObject({ status: 200, body: { status: 'changed', origin: 'api' } });
    } finally {
      await host.close();
    }
  });
});

describe('an import', () => {
  const LONG = 'MANY'.repeat(12);

  test('of tens of thousands of rows is taken at once, while others are answered', async () => {
    const host = await startShopHost({ shop: { mode: 'observe' } });
    try {
      const rows = Array.from({ length: 20_000 }, (_, index) => `${LONG}-${index},MANY-${index}`);
      const csv = `channel_sku,sku\n${rows.join('\n')}\n`;
      expect(Buffer.byteLength(csv)).toBeGreaterThan(1_048_576);
      const waits: number[] = [];
      let isDone = false;
      const asking = (async () => {
        while (!isDone) {
          const started = performance.now();
          await host.api.get('/health/live');
          waits.push(performance.now() - started);
        }
      })();
      const { status, body } = await host.api.postCsv<Report>(`${IMPORT}?createSkus=true`, csv);
      isDone = true;
      await asking;
      expect(status).toBe(200);
      expect(body.counts.created).toBe(20_000);
      expect(waits.length).toBeGreaterThan(10);
      const known = () => host.app.get(ListingsService).find('shop', `${LONG}-19999`);
      const before = known();
      expect(before).toMatchObject({ origin: 'api' });
      await host.api.put('/v1/channels/shop/listings/NEW', { components: [{ sku: 'MANY-6' }] });
      expect(host.app.get(ListingsService).find('shop', 'NEW')).toBeDefined();
      // One that is put does not have the others read again.
      expect(known()).toBe(before);
      const last = await host.api.get<Listed>('/v1/channels/shop/listings?sku=MANY-19999');
      expect(last.body.items).toHaveLength(1);
    } finally {
      await host.close();
    }
  }, 60_000);
});
