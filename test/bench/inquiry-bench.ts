import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ChannelSimulator } from '../../src/channel-api';
import { loadSimulator } from '../../src/replay/load-simulator';
import { PACKAGE_ROOT } from '../../src/version';
import { type Measured, measuredOf, paced } from './measure';
import { PushReceiver } from './push-receiver';
import { ServerProcess } from './server-process';

const SKUS = 1_000;
const INQUIRIES_PER_SECOND = 200;
const ORDERS_PER_SECOND = 100;
const STOCK_UNITS = 100_000;
const WARM_UP_SECONDS = 2;
const SECRET = 'bench-webhook-secret';
const CHECK = { clientId: 'ebay', clientSecret: 'bench-inventory-check' };
const AUTHORIZATION = `Basic ${Buffer.from(`${CHECK.clientId}:${CHECK.clientSecret}`).toString('base64')}`;

export interface InquiryRound {
  /** From sending an inquiry to its answer, while orders come in and are pushed to two channels. */
  inquiries: Measured;
  /** The same to a bare route in a process of its own, while the host goes on as before. */
  inquiriesFloor: Measured;
}

/** A host with a shop that sends orders and an eBay that asks at its checkout, over the same SKUs. */
export class InquiryBench {
  private order = 0;

  private constructor(
    private readonly host: ServerProcess,
    private readonly bare: ServerProcess,
    private readonly receiver: PushReceiver,
    private readonly ebay: ChannelSimulator,
    private readonly apiKey: string,
  ) {}

  static async start(folder: string, databaseUrl: string, env: NodeJS.ProcessEnv): Promise<InquiryBench> {
    const receiver = await PushReceiver.start();
    const startSimulator = await loadSimulator('@onhand/ebay');
    const limit = { perSecond: 10_000, burst: 10_000, enforced: false };
    const ebay = await startSimulator({ webhookSecret: SECRET, limit });
    ebay.list(skus().map((channelSku) => ({ channelSku, quantityUnits: 0 })));
    const config = writeConfig(folder, receiver.url, ebay);
    const host = await ServerProcess.start(
      [join(PACKAGE_ROOT, 'dist/src/main.js')],
      { ...env, DATABASE_URL: databaseUrl, ONHAND_CONFIG: config },
      '/health/ready',
    );
    const bare = await ServerProcess.start([join(__dirname, 'bare-server.js')], {}, '/v1/availability?sku=a');
    const bench = new InquiryBench(host, bare, receiver, ebay, env.ONHAND_ADMIN_KEY!);
    await bench.stock();
    await bench.round(WARM_UP_SECONDS);
    return bench;
  }

  async stop(): Promise<void> {
    await this.bare.stop();
    await this.host.stop();
    await this.receiver.stop();
    await this.ebay.close();
  }

  async round(seconds: number): Promise<InquiryRound> {
    const inquiries = await this.under(this.host.url, seconds);
    return { inquiries, inquiriesFloor: await this.under(this.bare.url, seconds) };
  }

  private async under(url: string, seconds: number): Promise<Measured> {
    const latencies: number[] = [];
    const orders = paced(ORDERS_PER_SECOND, seconds, () => this.sell());
    await paced(INQUIRIES_PER_SECOND, seconds, async () => {
      const started = performance.now();
      await this.ask(url);
      latencies.push(performance.now() - started);
    });
    await orders;
    return measuredOf(latencies, INQUIRIES_PER_SECOND);
  }

  private async ask(url: string): Promise<void> {
    const SKU = `BENCH-${Math.floor(Math.random() * SKUS)}`;
    const response = await fetch(`${url}/webhooks/ebay/stock-inquiry`, {
      method: 'POST',
      headers: { authorization: AUTHORIZATION, 'content-type': 'application/json' },
      body: JSON.stringify({
        locationID: 'main',
        SKU,
        fulfillmentType: 'SHIP_TO_HOME',
        requestedQuantity: 1,
      }),
    });
    const { isAvailable } = (await response.json()) as { isAvailable?: boolean };
    if (!response.ok || isAvailable !== true) throw new Error(`an inquiry was answered ${response.status}`);
  }

  /** An order of one line or two, told by the shop's webhook. */
  private async sell(): Promise<void> {
    const nr = this.order++;
    const lines = Array.from({ length: 1 + (nr % 2) }, (_, index) => ({
      id: String(index),
      sku: `BENCH-${Math.floor(Math.random() * SKUS)}`,
      ordered: 1,
      cancelled: 0,
      fulfilled: 0,
      returned: 0,
    }));
    const at = new Date().toISOString();
    const body = JSON.stringify({ id: `order-${nr}`, revision: 1, placed_at: at, updated_at: at, lines });
    const signature = createHmac('sha256', SECRET).update(body).digest('hex');
    await this.send('/webhooks/shop', body, {
      'x-shop-topic': 'order/changed',
      'x-shop-signature': signature,
    });
  }

  private async stock(): Promise<void> {
    const events = skus().map((sku) => ({ type: 'RESTOCK', sku, quantity: STOCK_UNITS }));
    await this.send('/v1/events', JSON.stringify(events), { authorization: `Bearer ${this.apiKey}` });
    while ([...this.ebay.shown().values()].some((units) => units === 0))
      await new Promise((resolve) => setTimeout(resolve, 50));
  }

  private async send(path: string, body: string, headers: Record<string, string>): Promise<void> {
    const response = await fetch(this.host.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${text.slice(0, 300)}`);
  }
}

function skus(): string[] {
  return Array.from({ length: SKUS }, (_, index) => `BENCH-${index}`);
}

function writeConfig(folder: string, receiver: string, ebay: ChannelSimulator): string {
  const listings = join(folder, 'inquiry-listings.csv');
  writeFileSync(listings, ['channel_sku,sku,units', ...skus().map((sku) => `${sku},${sku},1`)].join('\n'));
  const shop = {
    baseUrl: `${receiver}/shop`,
    webhook: { secret: SECRET, signatureHeader: 'x-shop-signature', topicHeader: 'x-shop-topic' },
    push: { batch: true, answers: 'status' },
    orders: { fields: { revision: 'revision' } },
    limit: { perSecond: 10_000, burst: 10_000 },
  };
  const channels = [
    { name: 'shop', plugin: '@onhand/generic-rest', listings, pollOrdersEverySeconds: 0, options: shop },
    {
      name: 'ebay',
      plugin: '@onhand/ebay',
      listings,
      pollOrdersEverySeconds: 0,
      options: { ...ebay.pluginOptions, inventoryCheck: CHECK },
    },
  ];
  const file = join(folder, 'inquiry-bench.yaml');
  writeFileSync(file, stringify({ outbound: { allow: ['127.0.0.1'] }, channels }));
  return file;
}
