import {
  defineChannelPlugin,
  isChannelError,
  UntranslatableError,
  type CancelRequest,
  type CancelResult,
  type Channel,
  type ChannelHost,
  type CheckResult,
  type InventoryQuery,
  type InventoryUpdate,
  type OrderDocument,
  type Page,
  type PushResult,
  type ShownInventory,
  type WebhookRequest,
  type WebhookVerdict,
} from 'onhand/channel-api';
import { fillPath, GenericRestClient } from './generic-rest.client';
import { fieldOf, readLabel } from './generic-rest.fields';
import { limits } from './generic-rest.limits';
import { GenericRestOptions, secretsOf, type CancelOptions } from './generic-rest.options';
import { pageQuery, readPages, rowsOf } from './generic-rest.paging';
import { isByLocation, pushInventory, resolvePush } from './generic-rest.push';
import { translateInventory, translateOrder, translatePage } from './generic-rest.translate';
import { translateWebhook, verifyWebhook } from './generic-rest.webhook';

/** Any shop with a REST API: its paths, fields, paging and authentication are options. */
export default defineChannelPlugin<GenericRestOptions>({
  name: 'generic-rest',
  version: '0.1.0',
  channelApi: '^1.0.0',
  options: GenericRestOptions,
  secrets: secretsOf,
  limits,
  capabilities: (options) => ({
    pushBatchSize: resolvePush(options.push).batchSize,
    pushAnswers: 'applied',
    compareAndSet: options.push.fields.expected !== undefined,
    stockByLocation: isByLocation(resolvePush(options.push)),
    readsOrders: true,
    cancelsOrders: options.cancel !== undefined,
    subscribesWebhooks: false,
    ...(options.read.paging.kind !== 'none' && {
      inventoryReads: { rowsPerCall: options.read.paging.pageSize, limit: 'api' },
    }),
  }),
  connect: (options, host) => new GenericRestChannel(options, host),
});

class GenericRestChannel implements Channel {
  /** There only where the options say how the shop cancels. */
  readonly cancelOrder?: (request: CancelRequest) => Promise<CancelResult>;
  private readonly client: GenericRestClient;

  constructor(
    private readonly options: GenericRestOptions,
    host: ChannelHost,
  ) {
    this.client = new GenericRestClient(options, host.http);
    const { cancel } = options;
    if (cancel) this.cancelOrder = (request) => cancelOrder(this.client, cancel, request);
  }

  pushInventory(updates: readonly InventoryUpdate[]): Promise<PushResult[]> {
    return pushInventory(this.client, resolvePush(this.options.push), updates);
  }

  /** `channelSkus` is matched here, for a shop of unknown make has no query for it. */
  async *readInventory({ cursor, channelSkus }: InventoryQuery): AsyncGenerator<Page<ShownInventory>> {
    const { fields } = this.options.read;
    const wanted = channelSkus && new Set(channelSkus);
    const listing = { ...this.options.read, option: 'read' as const };
    for await (const raw of readPages(this.client, listing, {}, cursor)) {
      const page = translatePage(raw.rows, fields.sku, (row) => translateInventory(row, fields));
      const items = wanted ? page.items.filter((item) => wanted.has(item.channelSku)) : page.items;
      yield { ...page, items, ...(raw.cursor === undefined ? {} : { cursor: raw.cursor }) };
    }
  }

  async *readOrders(query: { cursor?: string; since?: string }): AsyncGenerator<Page<OrderDocument>> {
    const { fields, sinceParameter } = this.options.orders;
    const listing = { ...this.options.orders, option: 'orders' as const };
    const since = query.since === undefined ? {} : { [sinceParameter]: query.since };
    for await (const raw of readPages(this.client, listing, since, query.cursor)) {
      const page = translatePage(raw.rows, fields.id, (row) => translateOrder(row, fields));
      yield { ...page, ...(raw.cursor === undefined ? {} : { cursor: raw.cursor }) };
    }
  }

  verifyWebhook(request: WebhookRequest): WebhookVerdict {
    return verifyWebhook(request, this.options.webhook);
  }

  translateWebhook(request: WebhookRequest): OrderDocument[] {
    return translateWebhook(request, this.options);
  }

  /** Reads one row of inventory: it proves address, credentials, and that the fields are where the options say. */
  async check(): Promise<CheckResult> {
    const { path, fields, itemsPath, paging } = this.options.read;
    const findings: CheckResult['findings'] = [];
    try {
      const query = pageQuery({ ...paging, pageSize: 1 }, undefined);
      const body = await this.client.get({ path, option: 'read.path', query });
      findings.push({ ok: true, message: `${path} answers, and takes the credentials` });
      const [first] = rowsOf(body, { path, itemsPath, option: 'read' });
      if (first === undefined)
        findings.push({ ok: true, message: 'the shop lists no SKU yet; fields are unproven' });
      else translateInventory(first, fields);
      if (first !== undefined)
        findings.push({ ok: true, message: 'SKU and quantity are where options.read.fields says' });
    } catch (error) {
      if (!isChannelError(error)) throw error;
      const advice = error instanceof UntranslatableError ? '; check options.read.fields' : '';
      findings.push({ ok: false, message: `${error.message}${advice}` });
    }
    return { ok: findings.every((finding) => finding.ok), findings };
  }
}

/** 202: decided later; any other 2xx: done; 4xx: impossible. An HTML page under 200 has cancelled nothing. */
async function cancelOrder(
  client: GenericRestClient,
  options: CancelOptions,
  request: CancelRequest,
): Promise<CancelResult> {
  const path = fillPath(options.path, { orderId: request.orderId });
  if (path === undefined) return { outcome: 'impossible', reason: 'the order id cannot stand in a path' };
  const response = await client.send({
    method: 'POST',
    path,
    option: 'cancel.path',
    headers: { 'idempotency-key': request.cancelId },
    json: {
      reason: request.reason,
      message: request.message,
      lines: request.lines.map((line) => ({ id: line.lineId, quantity: line.quantityUnits })),
    },
  });
  if (response.status === 202) {
    const receipt = readLabel(fieldOf({ value: response.json(), path: '' }, options.receiptPath));
    return { outcome: 'pending', receipt: receipt ?? request.cancelId };
  }
  if (response.status >= 200 && response.status < 300) {
    if (response.text.trim() !== '') response.json();
    return { outcome: 'cancelled' };
  }
  return { outcome: 'impossible', reason: `the shop answered ${response.status} to the cancellation` };
}
