import { setTimeout as sleep } from 'node:timers/promises';
import { IsBoolean, IsInt, IsOptional } from 'class-validator';
import genericRest from '../../plugins/generic-rest/generic-rest.plugin';
import { GenericRestOptions } from '../../plugins/generic-rest/generic-rest.options';
import type {
  Channel,
  ChannelPlugin,
  InventoryQuery,
  ChannelDocument,
  InventoryUpdate,
  OrderDocument,
  Page,
  PushResult,
  ShownInventory,
} from '../../src/channel-api';

/** What a shop with a plain REST API does not do by itself. */
class DemandingOptions extends GenericRestOptions {
  /** Only accepts pushes, and loses so many of the first ones. */
  @IsOptional()
  @IsInt()
  losesAccepted?: number;

  /** Takes a quantity only from who knows what is shown. */
  @IsOptional()
  @IsBoolean()
  compareAndSet?: boolean;

  /** Keeps stock by location: the shop's SKUs are `SKU@location`. */
  @IsOptional()
  @IsBoolean()
  byLocation?: boolean;

  /** Takes so many changes of a listing, the last of them for 0 alone; the same again after `budgetMs`. */
  @IsOptional()
  @IsInt()
  changesPerListing?: number;

  @IsOptional()
  @IsInt()
  budgetMs?: number;

  /** How long it takes to say that they are used up. */
  @IsOptional()
  @IsInt()
  refusesAfterMs?: number;

  /** Its webhooks tell which order changed, and no more. */
  @IsOptional()
  @IsBoolean()
  namesOrdersOnly?: boolean;

  /** A batch with this SKU in it makes the plugin throw. */
  @IsOptional()
  poison?: string;
}

/** The shop's API behind manners that other channels have; all calls go to a real shop simulator over HTTP. */
const demandingPlugin: ChannelPlugin<DemandingOptions> = {
  ...genericRest,
  name: 'demanding',
  options: DemandingOptions,
  capabilities: (options) => ({
    ...genericRest.capabilities(options),
    pushAnswers: options.losesAccepted === undefined ? 'applied' : 'accepted',
    compareAndSet: options.compareAndSet ?? false,
    stockByLocation: options.byLocation ?? false,
    cancelsOrders: false,
  }),
  connect: async (options, host) => new DemandingChannel(options, await genericRest.connect(options, host)),
};
export default demandingPlugin;

class DemandingChannel implements Channel {
  readonly readOrders: Channel['readOrders'];
  readonly verifyWebhook: Channel['verifyWebhook'];
  readonly translateWebhook: Channel['translateWebhook'];
  readonly readOrder: Channel['readOrder'];
  readonly check: Channel['check'];
  private toLose: number;
  /** When each listing was changed. */
  private readonly changes = new Map<string, number[]>();

  constructor(
    private readonly options: DemandingOptions,
    private readonly shop: Channel,
  ) {
    this.toLose = options.losesAccepted ?? 0;
    this.readOrders = shop.readOrders.bind(shop);
    this.verifyWebhook = shop.verifyWebhook.bind(shop);
    const translate = shop.translateWebhook.bind(shop);
    this.translateWebhook = options.namesOrdersOnly ? (request) => namesOf(translate(request)) : translate;
    this.readOrder = (orderId) => this.findOrder(orderId);
    this.check = shop.check.bind(shop);
  }

  async pushInventory(updates: readonly InventoryUpdate[]): Promise<PushResult[]> {
    const { poison, losesAccepted } = this.options;
    if (updates.some(({ channelSku }) => channelSku === poison)) throw new TypeError('x is not a function');
    const stale = await this.staleOf(updates);
    const waiting = this.waitingOf(updates);
    if (waiting.size > 0) await sleep(this.options.refusesAfterMs ?? 0);
    const wanted = updates.filter(({ pushId }) => !stale.has(pushId) && !waiting.has(pushId));
    const sent = wanted.filter(() => this.toLose-- <= 0);
    const answers = await this.shop.pushInventory(sent.map((update) => this.named(update)));
    const accepted = wanted.map(({ pushId }): PushResult => ({ pushId, outcome: 'accepted' }));
    return [...stale.values(), ...waiting.values(), ...(losesAccepted === undefined ? answers : accepted)];
  }

  async *readInventory({ channelSkus, ...query }: InventoryQuery): AsyncGenerator<Page<ShownInventory>> {
    const wanted = channelSkus && new Set(channelSkus);
    for await (const page of this.shop.readInventory(query)) {
      const items = page.items.map((item) => this.split(item));
      yield { ...page, items: wanted ? items.filter((item) => wanted.has(item.channelSku)) : items };
    }
  }

  private async findOrder(orderId: string): Promise<OrderDocument | undefined> {
    for await (const { items } of this.shop.readOrders({})) {
      const order = items.find((each) => each.orderId === orderId);
      if (order) return order;
    }
    return undefined;
  }

  private waitingOf(updates: readonly InventoryUpdate[]): Map<string, PushResult> {
    const { changesPerListing = Infinity, budgetMs = 0 } = this.options;
    const waiting = new Map<string, PushResult>();
    for (const { pushId, channelSku, quantityUnits } of updates) {
      const changes = (this.changes.get(channelSku) ?? []).filter((at) => at > Date.now() - budgetMs);
      const allowed = quantityUnits > 0 ? changesPerListing - 1 : changesPerListing;
      const waitMs = Math.ceil((changes[0] ?? 0) + budgetMs - Date.now());
      if (changes.length < allowed) changes.push(Date.now());
      else waiting.set(pushId, { pushId, outcome: 'waiting', reason: 'its changes are used up', waitMs });
      this.changes.set(channelSku, changes);
    }
    return waiting;
  }

  private async staleOf(updates: readonly InventoryUpdate[]): Promise<Map<string, PushResult>> {
    const stale = new Map<string, PushResult>();
    if (!this.options.compareAndSet) return stale;
    const shown = new Map<string, number>();
    for await (const page of this.readInventory({}))
      for (const { channelSku, quantityUnits } of page.items) shown.set(channelSku, quantityUnits);
    for (const { pushId, channelSku, believedUnits } of updates) {
      const shownUnits = shown.get(channelSku);
      if (believedUnits !== undefined && shownUnits !== undefined && shownUnits !== believedUnits)
        stale.set(pushId, { pushId, outcome: 'stale', shownUnits });
    }
    return stale;
  }

  private named(update: InventoryUpdate): InventoryUpdate {
    const { channelSku, channelLocation } = update;
    return this.options.byLocation ? { ...update, channelSku: `${channelSku}@${channelLocation}` } : update;
  }

  private split(item: ShownInventory): ShownInventory {
    if (!this.options.byLocation) return item;
    const [channelSku, channelLocation] = item.channelSku.split('@') as [string, string];
    return { ...item, channelSku, channelLocation };
  }
}

function namesOf(documents: ChannelDocument[]): ChannelDocument[] {
  return documents.flatMap((document) =>
    document.kind === 'order' ? [{ kind: 'order-changed', orderId: document.orderId }] : [],
  );
}
