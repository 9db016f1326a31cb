import type { SimulatedReply, SimulatedRequest } from 'onhand/channel-api';
import { CallQuotas, quotaOf } from './daily-quotas';
import type { InventoryApi } from './inventory';
import type { NotificationApi } from './notifications';
import type { OrdersApi } from './orders';
import type { PostOrderApi } from './post-order';
import { EbayRefusal } from './refusal';
import type { SigningKeys } from './signing-keys';
import type { TokenDesk } from './token-desk';

/** The parts of eBay that a call can reach. */
export interface EbayApis {
  tokens: TokenDesk;
  quotas: CallQuotas;
  inventory: InventoryApi;
  orders: OrdersApi;
  postOrder: PostOrderApi;
  notifications: NotificationApi;
  keys: SigningKeys;
}

type Answer = (request: SimulatedRequest, ids: string[]) => SimulatedReply | Promise<SimulatedReply>;

interface Route {
  method: string;
  /** Segments of the path; `*` stands for an id. */
  segments: string[];
  answer: Answer;
}

type Needed = Parameters<TokenDesk['require']>[1];

const SCOPE = 'https://api.ebay.com/oauth/api_scope';
/** Which token a call needs, by how its path begins. */
const NEEDED: readonly (readonly [prefix: string, needed: Needed])[] = [
  ['/sell/inventory/', { scheme: 'Bearer', kinds: ['user'], scope: `${SCOPE}/sell.inventory` }],
  ['/sell/fulfillment/', { scheme: 'Bearer', kinds: ['user'], scope: `${SCOPE}/sell.fulfillment` }],
  ['/post-order/', { scheme: 'IAF', kinds: ['user'] }],
  ['/commerce/notification/v1/subscription', { scheme: 'Bearer', kinds: ['user', 'application'] }],
  ['/commerce/notification/', { scheme: 'Bearer', kinds: ['application'] }],
  ['/developer/analytics/v1_beta/user_rate_limit', { scheme: 'Bearer', kinds: ['user'] }],
  ['/developer/', { scheme: 'Bearer', kinds: ['application'] }],
];

/** eBay's paths, each behind the token that it asks for, and under the quota that it counts under. */
export class EbayRoutes {
  private readonly routes: readonly Route[];

  constructor(
    private readonly apis: EbayApis,
    /** Whether the seller is at home where refunds and cancellations have to be signed. */
    private readonly asksForSignatures: boolean,
  ) {
    this.routes = [...this.sellRoutes(), ...this.postOrderRoutes(), ...this.commerceRoutes()];
  }

  async answer(request: SimulatedRequest): Promise<SimulatedReply> {
    try {
      if (request.path === '/identity/v1/oauth2/token' && request.method === 'POST')
        return this.apis.tokens.answer(request);
      return await this.route(request);
    } catch (error) {
      if (!(error instanceof EbayRefusal)) throw error;
      return error.reply(request.path);
    }
  }

  private route(request: SimulatedRequest): SimulatedReply | Promise<SimulatedReply> {
    const now = Date.now();
    const needed = NEEDED.find(([prefix]) => request.path.startsWith(prefix))?.[1];
    if (!needed) throw noSuchResource();
    this.apis.tokens.require(request, needed, now);
    const given = request.path
      .split('/')
      .slice(1)
      .filter((part, place, all) => part !== '' || place < all.length - 1);
    const found = this.routes.find(
      ({ method, segments }) => method === request.method && fits(segments, given),
    );
    if (!found) throw noSuchResource();
    const quota = quotaOf(request.path);
    if (quota) this.apis.quotas.spend(quota, now);
    return found.answer(request, given.filter((_, place) => found.segments[place] === '*').map(decoded));
  }

  private sellRoutes(): Route[] {
    const { inventory, orders } = this.apis;
    const [stock, order] = ['/sell/inventory/v1', '/sell/fulfillment/v1/order'];
    return [
      route('GET', `${stock}/inventory_item`, (request) => inventory.items(request)),
      route('GET', `${stock}/inventory_item/*`, (_, [sku]) => inventory.item(sku!)),
      route('POST', `${stock}/bulk_get_inventory_item`, (request) => inventory.bulkGet(request)),
      route('POST', `${stock}/bulk_update_price_quantity`, (request) => inventory.bulkUpdate(request)),
      route('GET', `${stock}/offer`, (request) => inventory.offers(request)),
      route('GET', `${stock}/offer/*`, (_, [offerId]) => inventory.offer(offerId!)),
      route('GET', order, (request) => orders.list(request)),
      route('GET', `${order}/*`, (_, [orderId]) => orders.one(orderId!)),
      route('GET', `${order}/*/shipping_fulfillment`, (_, [orderId]) => orders.shipments(orderId!)),
      route('POST', `${order}/*/issue_refund`, (request, [orderId]) => {
        this.requireSignature(request);
        return orders.refund(orderId!, request);
      }),
    ];
  }

  private postOrderRoutes(): Route[] {
    const { postOrder } = this.apis;
    const cancellation = '/post-order/v2/cancellation';
    return [
      route('POST', `${cancellation}/check_eligibility`, (request) => postOrder.checkEligibility(request)),
      route('POST', cancellation, (request) => {
        this.requireSignature(request);
        return postOrder.cancel(request);
      }),
      route('GET', `${cancellation}/search`, (request) => postOrder.search(request)),
      route('GET', `${cancellation}/*`, (_, [cancelId]) => postOrder.one(cancelId!)),
      route('GET', '/post-order/v2/return/search', (request) => postOrder.searchReturns(request)),
    ];
  }

  private commerceRoutes(): Route[] {
    const { notifications, keys, quotas } = this.apis;
    const [api, key] = ['/commerce/notification/v1', '/developer/key_management/v1/signing_key'];
    const [one, many] = [`${api}/subscription/*`, `${api}/subscription`];
    const rates: Answer = ({ query }) => ({ status: 200, body: quotas.rateLimits(query, Date.now()) });
    return [
      route('GET', `${api}/public_key/*`, (_, [keyId]) => notifications.publicKey(keyId!)),
      route('GET', `${api}/config`, () => notifications.config()),
      route('PUT', `${api}/config`, (request) => notifications.configure(request)),
      route('GET', `${api}/topic`, (request) => notifications.topics(request)),
      route('GET', `${api}/topic/*`, (_, [topicId]) => notifications.topic(topicId!)),
      route('GET', `${api}/destination`, (request) => notifications.listDestinations(request)),
      route('POST', `${api}/destination`, (request) => notifications.createDestination(request)),
      route('GET', `${api}/destination/*`, (_, [id]) => notifications.oneDestination(id!)),
      route('PUT', `${api}/destination/*`, (request, [id]) => notifications.updateDestination(id!, request)),
      route('DELETE', `${api}/destination/*`, (_, [id]) => notifications.deleteDestination(id!)),
      route('GET', many, (request) => notifications.listSubscriptions(request)),
      route('POST', many, (request) => notifications.createSubscription(request)),
      route('GET', one, (_, [id]) => notifications.oneSubscription(id!)),
      route('PUT', one, (request, [id]) => notifications.updateSubscription(id!, request)),
      route('DELETE', one, (_, [id]) => notifications.deleteSubscription(id!)),
      route('POST', `${one}/enable`, (_, [id]) => notifications.switchSubscription(id!, 'ENABLED')),
      route('POST', `${one}/disable`, (_, [id]) => notifications.switchSubscription(id!, 'DISABLED')),
      route('POST', `${one}/test`, (_, [id]) => notifications.testSubscription(id!)),
      route('GET', '/developer/analytics/v1_beta/rate_limit', rates),
      route('GET', '/developer/analytics/v1_beta/user_rate_limit', () => ({ status: 204 })),
      route('POST', key, (request) => keys.answerCreate(request)),
      route('GET', key, () => keys.list()),
      route('GET', `${key}/*`, (_, [id]) => keys.one(id!)),
    ];
  }

  private requireSignature(request: SimulatedRequest): void {
    if (this.asksForSignatures) this.apis.keys.require(request);
  }
}

function route(method: string, path: string, answer: Answer): Route {
  return { method, segments: path.split('/').slice(1), answer };
}

function fits(segments: readonly string[], given: readonly string[]): boolean {
  return (
    segments.length === given.length &&
    segments.every((segment, place) => segment === '*' || segment === given[place])
  );
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw noSuchResource();
  }
}

function noSuchResource(): EbayRefusal {
  return new EbayRefusal(404, 2002, 'Resource not found', 'ACCESS');
}
