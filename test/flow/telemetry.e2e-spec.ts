import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { startSimulator } from '../../plugins/generic-rest/simulator';
import type { ChannelSimulator } from '../../src/channel-api';
import { isTracing } from '../../src/telemetry/tracing';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';
import { GENERIC_REST_PACKAGE, HostFolder, type SpawnedHost } from '../support/host';
import { freePort } from '../support/redis';
import { deliver, listingsCsv, WEBHOOK_SECRET } from '../support/shop-host';

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
  links?: { traceId: string; spanId: string }[];
}

/** A collector that takes OTLP over HTTP as JSON. */
class Collector {
  readonly spans: Span[] = [];
  readonly resources: string[] = [];
  text = '';
  private server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const text = Buffer.concat(parts).toString();
        this.text += text;
        const { resourceSpans } = JSON.parse(text) as {
          resourceSpans: { resource: object; scopeSpans: { spans: Span[] }[] }[];
        };
        for (const { resource, scopeSpans } of resourceSpans) {
          this.resources.push(JSON.stringify(resource));
          this.spans.push(...scopeSpans.flatMap(({ spans }) => spans));
        }
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
  }

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** Names from the trace's beginning down to this span. */
  pathTo(span: Span): string[] {
    const parent = this.spans.find(({ spanId }) => spanId === span.parentSpanId);
    return [...(parent ? this.pathTo(parent) : []), span.name];
  }

  calls(traceId?: string): Span[] {
    return this.spans.filter(
      (span) => span.kind === 3 && (traceId === undefined || span.traceId === traceId),
    );
  }
}

const LISTINGS = listingsCsv([
  ['A', 'A', 1],
  ['B', 'B', 1],
]);

describe('traces', () => {
  let collector: Collector;
  let collectorUrl: string;
  let database: TestDatabase;
  let dataSource: DataSource;
  let shop: ChannelSimulator;
  let folder: HostFolder;
  let host: SpawnedHost;

  beforeAll(async () => {
    collector = new Collector();
    collectorUrl = await collector.listen();
    database = await createTestDatabase();
    dataSource = await database.dataSource();
    shop = await startSimulator({ webhookSecret: WEBHOOK_SECRET });
    shop.list(['A', 'B'].map((channelSku) => ({ channelSku, quantityUnits: 0 })));
    const channel = {
      name: 'shop',
      plugin: GENERIC_REST_PACKAGE,
      options: { ...shop.pluginOptions, limit: { perSecond: 10_000, burst: 10_000 } },
      listings: LISTINGS,
    };
    folder = await HostFolder.create({ channels: [channel] }, database.url);
  });

  afterAll(async () => {
    await folder.remove();
    await shop.close();
    await database.drop();
    collector.close();
  });

  test('a collector that is away costs its traces and nothing else', async () => {
    const away = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` };
    host = await folder.start({ env: away });
    const posted = await host.api.post('/v1/events', [
      { type: 'RESTOCK', sku: 'A', quantity: 10 },
      { type: 'RESTOCK', sku: 'B', quantity: 10 },
    ]);
    expect(posted.status).toBe(200);
    await eventually(() =>
      expect([...shop.shown()]).toEqual([
        ['A', 10],
        ['B', 10],
      ]),
    );
    await eventually(() => expect(host.output()).toMatch(/spans were not taken by the collector/), 20_000);
    await host.kill('SIGTERM');
    host = await folder.start({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl } });
    // Two hosts are started, and one is stopped.
  }, 90_000);

  function order(orderId: string): void {
    const lines = ['A', 'B'].map((channelSku, at) => ({
      lineId: String(at + 1),
      channelSku,
      quantityUnits: 1,
    }));
    shop.placeOrder({ orderId, placedAt: new Date().toISOString(), lines });
  }

  test('one webhook yields one trace, through the database, down to the request that pushes', async () => {
    order('order-1');
    await deliver(host, shop.webhookFor('order-1'));
    const webhook = await eventually(() => {
      const found = collector.spans.find(({ name }) => name === 'POST /webhooks/:channel');
      expect(found).toBeDefined();
      return found!;
    });
    const push = await eventually(() => {
      const [call] = collector.calls(webhook.traceId);
      expect(call).toBeDefined();
      return call!;
    });
    expect(collector.pathTo(push)).toEqual([
      'POST /webhooks/:channel',
      'apply webhook',
      expect.stringMatching(/^ledger /),
      'push listings',
      'POST 127.0.0.1',
    ]);
    expect(webhook.parentSpanId).toBeUndefined();
    expect(collector.resources[0]).toMatch(/"service\.name".*"onhand"/);
  });

  test('a push that answers several commits is linked with each', async () => {
    await host.api.put('/v1/channels/shop/pause', {});
    const before = collector.spans.length;
    for (const orderId of ['order-2', 'order-3']) {
      order(orderId);
      await deliver(host, shop.webhookFor(orderId));
    }
    const posts = () =>
      collector.spans
        .slice(before)
        .filter(({ name, parentSpanId }) => name.startsWith('ledger ') && parentSpanId);
    await eventually(() => expect(posts()).toHaveLength(2));
    await host.api.delete('/v1/channels/shop/pause');
    const push = await eventually(() => {
      const found = collector.spans
        .slice(before)
        .find(({ name, links = [] }) => name === 'push listings' && links.length > 0);
      expect(found).toBeDefined();
      return found!;
    });
    const causes = posts().map(({ spanId }) => spanId);
    expect(push.links!.map(({ spanId }) => spanId).sort()).toEqual(expect.arrayContaining(causes.sort()));
    expect(push.parentSpanId).toBeUndefined();
    expect(posts().map(({ traceId }) => traceId)).not.toContain(push.traceId);
  });

  test('no secret, order or SKU is among what is told', () => {
    expect(collector.text).toMatch(/onhand\.channel/);
    for (const word of [WEBHOOK_SECRET, 'canary', 'order-1', 'Bearer', '"A"'])
      expect(collector.text).not.toContain(word);
  });

  test('what a listing keeps of its causes goes with its push', async () => {
    await eventually(async () => {
      expect(await dataSource.query('SELECT * FROM dirty_listings')).toEqual([]);
    });
  });
});

test('without a collector, what makes traces is not even loaded', () => {
  const script = `require('./dist/src/app.module.js');
    console.log(Object.keys(require.cache).filter((file) => /@opentelemetry.(?!api)/.test(file)).length)`;
  const root = join(__dirname, '../..');
  expect(execFileSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' }).trim()).toBe('0');
  expect(isTracing()).toBe(false);
});
