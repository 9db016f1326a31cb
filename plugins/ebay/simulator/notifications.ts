import { randomBytes, randomUUID } from 'node:crypto';
import {
  type OrderDocument,
  parsedUrl,
  type SimulatedReply,
  type SimulatedRequest,
  type WebhookDelivery,
} from 'onhand/channel-api';
import { notificationRefusal } from './refusal';
import { asObject, type JsonObject, jsonOf, textIn } from './request-json';
import type { EbayStock } from './stock';
import { challengeResponse, type WebhookSigner } from './webhook-signer';
import { SELLER } from './wire';

export type TopicId = 'ORDER_CONFIRMATION' | 'ITEM_MARKED_SHIPPED' | 'MARKETPLACE_ACCOUNT_DELETION';

const TOPICS: Record<TopicId, { description: string; scope: 'USER' | 'APPLICATION' }> = {
  ORDER_CONFIRMATION: { description: 'A buyer completed a checkout.', scope: 'USER' },
  ITEM_MARKED_SHIPPED: { description: 'A line item was marked as shipped.', scope: 'USER' },
  MARKETPLACE_ACCOUNT_DELETION: { description: 'An account was closed.', scope: 'APPLICATION' },
};
const SCHEMA_VERSION = '1.0';
const CHALLENGE_WITHIN_MS = 5_000;
const ENDPOINT_TOKEN = /^[A-Za-z0-9_-]{32,80}$/;

interface Destination {
  destinationId: string;
  name: string;
  status: string;
  deliveryConfig: { endpoint: string; verificationToken: string };
}

interface Subscription {
  subscriptionId: string;
  topicId: TopicId;
  destinationId: string;
  status: string;
  creationDate: string;
  payload: object;
}

/** The Notification API, and what it sends. */
export class NotificationApi {
  private readonly destinations = new Map<string, Destination>();
  private readonly subscriptions = new Map<string, Subscription>();
  private alertEmail: string | undefined;

  constructor(
    private readonly signer: WebhookSigner,
    private readonly stock: EbayStock,
    private readonly spoiled: ReadonlySet<string>,
    private readonly host: {
      /** Where notifications go from now on; null where no subscription is enabled. */
      sendTo(endpoint: string | null): void;
      send(webhook: WebhookDelivery): void;
    },
  ) {}

  publicKey(keyId: string): SimulatedReply {
    if (keyId !== this.signer.keyId)
      throw notificationRefusal(404, 195001, 'The specified key id is invalid.');
    return { status: 200, body: this.signer.publicKeyView };
  }

  config(): SimulatedReply {
    if (this.alertEmail === undefined) throw notificationRefusal(404, 195026, 'Configuration Not Found.');
    return { status: 200, body: { alertEmail: this.alertEmail } };
  }

  configure(request: SimulatedRequest): SimulatedReply {
    const email = textIn(jsonOf(request).alertEmail);
    if (!email?.includes('@')) throw notificationRefusal(400, 195025, 'Invalid or missing email.');
    this.alertEmail = email;
    return { status: 204 };
  }

  topics({ path }: SimulatedRequest): SimulatedReply {
    const topics = (Object.keys(TOPICS) as TopicId[]).map(topicView);
    return { status: 200, body: { href: path, limit: 20, total: topics.length, topics } };
  }

  topic(topicId: string): SimulatedReply {
    return { status: 200, body: topicView(topicIn(topicId)) };
  }

  listDestinations({ path }: SimulatedRequest): SimulatedReply {
    const destinations = [...this.destinations.values()];
    return { status: 200, body: { href: path, limit: 20, total: destinations.length, destinations } };
  }

  /** The endpoint has to answer a challenge first. */
  async createDestination(request: SimulatedRequest): Promise<SimulatedReply> {
    const wanted = destinationIn(jsonOf(request));
    const isKnown = [...this.destinations.values()].some(
      ({ deliveryConfig }) => deliveryConfig.endpoint === wanted.deliveryConfig.endpoint,
    );
    if (isKnown) throw notificationRefusal(409, 195021, 'Destination exists for this endpoint');
    await challenge(wanted.deliveryConfig);
    const destinationId = randomUUID();
    this.destinations.set(destinationId, { ...wanted, destinationId });
    return created(`${request.path}/${destinationId}`);
  }

  async updateDestination(destinationId: string, request: SimulatedRequest): Promise<SimulatedReply> {
    this.destination(destinationId);
    const wanted = destinationIn(jsonOf(request));
    await challenge(wanted.deliveryConfig);
    this.destinations.set(destinationId, { ...wanted, destinationId });
    this.direct();
    return { status: 204 };
  }

  oneDestination(destinationId: string): SimulatedReply {
    return { status: 200, body: this.destination(destinationId) };
  }

  deleteDestination(destinationId: string): SimulatedReply {
    this.destination(destinationId);
    if ([...this.subscriptions.values()].some((each) => each.destinationId === destinationId))
      throw notificationRefusal(409, 195024, 'Destination is in use and cannot be deleted.');
    this.destinations.delete(destinationId);
    return { status: 204 };
  }

  listSubscriptions({ path }: SimulatedRequest): SimulatedReply {
    const subscriptions = [...this.subscriptions.values()];
    return { status: 200, body: { href: path, limit: 20, total: subscriptions.length, subscriptions } };
  }

  createSubscription(request: SimulatedRequest): SimulatedReply {
    const body = jsonOf(request);
    if (this.alertEmail === undefined)
      throw notificationRefusal(
        409,
        195003,
        'Please provide configurations required for notifications. Refer to /config',
      );
    const topicId = topicIn(textIn(body.topicId) ?? '');
    if ([...this.subscriptions.values()].some((each) => each.topicId === topicId))
      throw notificationRefusal(409, 195012, 'Subscription already exists');
    const destinationId = this.destinationOf(body);
    const subscriptionId = randomUUID();
    const payload = payloadIn(body);
    const creationDate = new Date().toISOString();
    const status = statusIn(body);
    this.subscriptions.set(subscriptionId, {
      subscriptionId,
      topicId,
      destinationId,
      status,
      creationDate,
      payload,
    });
    this.direct();
    return created(`${request.path}/${subscriptionId}`);
  }

  updateSubscription(subscriptionId: string, request: SimulatedRequest): SimulatedReply {
    const body = jsonOf(request);
    const known = this.subscription(subscriptionId);
    const destinationId = this.destinationOf(body);
    const changed = { ...known, destinationId, status: statusIn(body), payload: payloadIn(body) };
    this.subscriptions.set(subscriptionId, changed);
    this.direct();
    return { status: 204 };
  }

  oneSubscription(subscriptionId: string): SimulatedReply {
    return { status: 200, body: this.subscription(subscriptionId) };
  }

  deleteSubscription(subscriptionId: string): SimulatedReply {
    this.subscription(subscriptionId);
    this.subscriptions.delete(subscriptionId);
    this.direct();
    return { status: 204 };
  }

  switchSubscription(subscriptionId: string, status: 'ENABLED' | 'DISABLED'): SimulatedReply {
    this.subscriptions.set(subscriptionId, { ...this.subscription(subscriptionId), status });
    this.direct();
    return { status: 204 };
  }

  /** A notification with made-up ids, to see whether the endpoint takes it. */
  testSubscription(subscriptionId: string): SimulatedReply {
    const { topicId } = this.subscription(subscriptionId);
    const order = {
      orderId: 'mock-order',
      orderLineItems: [{ orderLineItemId: 'mock-line', listingId: '1', quantity: 1 }],
    };
    const data =
      topicId === 'MARKETPLACE_ACCOUNT_DELETION'
        ? { ...SELLER, eiasToken: randomBytes(24).toString('base64') }
        : { user: SELLER, order };
    this.host.send(this.signed(topicId, data, new Date().toISOString()));
    return { status: 202 };
  }

  /** One for each line item; `lineIds` narrows them. */
  ofOrder(topicId: 'ORDER_CONFIRMATION' | 'ITEM_MARKED_SHIPPED', document: OrderDocument): WebhookDelivery[] {
    if (!this.isWanted(topicId)) return [];
    return document.lines.map((_, index) => this.ofLine(topicId, document, index));
  }

  ofLine(
    topicId: TopicId,
    { orderId, updatedAt, placedAt, lines }: OrderDocument,
    index: number,
  ): WebhookDelivery {
    const { lineId, channelSku, ordered } = lines[index]!;
    const { listingId } = this.stock.idsOf(channelSku);
    const item = { orderLineItemId: lineId, listingId, quantity: ordered };
    const order = { orderId, orderLineItems: this.spoiled.has(orderId) ? 'several' : [item] };
    return this.signed(topicId, { user: SELLER, order }, updatedAt ?? placedAt);
  }

  /** A buyer's account was closed: whoever keeps data of that person has to delete it. */
  accountDeletion(user: { userId: string; username: string }): WebhookDelivery {
    const data = { ...user, eiasToken: randomBytes(24).toString('base64') };
    return this.signed('MARKETPLACE_ACCOUNT_DELETION', data, new Date().toISOString());
  }

  /** Whoever takes webhooks without having subscribed takes them all. */
  private isWanted(topicId: TopicId): boolean {
    const subscriptions = [...this.subscriptions.values()];
    return subscriptions.length === 0 || subscriptions.some((each) => each.topicId === topicId && isOn(each));
  }

  private signed(topicId: TopicId, data: object, eventDate: string): WebhookDelivery {
    return this.signer.sign({
      metadata: { topic: topicId, schemaVersion: SCHEMA_VERSION, deprecated: false },
      notification: {
        notificationId: `${randomUUID()}_${randomUUID()}`,
        eventDate,
        publishDate: new Date().toISOString(),
        publishAttemptCount: 1,
        data,
      },
    });
  }

  private direct(): void {
    const enabled = [...this.subscriptions.values()].find(
      (each) => isOn(each) && isOn(this.destination(each.destinationId)),
    );
    this.host.sendTo(enabled ? this.destination(enabled.destinationId).deliveryConfig.endpoint : null);
  }

  private destination(destinationId: string): Destination {
    const found = this.destinations.get(destinationId);
    if (!found) throw notificationRefusal(404, 195022, 'Invalid or missing destination id.');
    return found;
  }

  private destinationOf(body: JsonObject): string {
    const destinationId = textIn(body.destinationId) ?? '';
    if (!this.destinations.has(destinationId))
      throw notificationRefusal(400, 195007, 'Invalid or missing destination id.');
    return destinationId;
  }

  private subscription(subscriptionId: string): Subscription {
    const found = this.subscriptions.get(subscriptionId);
    if (!found) throw notificationRefusal(404, 195013, 'The subscription id does not exist.');
    return found;
  }
}

function isOn({ status }: { status: string }): boolean {
  return status === 'ENABLED';
}

function created(location: string): SimulatedReply {
  return { status: 201, headers: { location: `https://api.ebay.com${location}` }, body: {} };
}

function topicIn(topicId: string): TopicId {
  if (!Object.hasOwn(TOPICS, topicId)) throw notificationRefusal(404, 195002, 'Invalid or missing topic id.');
  return topicId as TopicId;
}

function topicView(topicId: TopicId): object {
  const { description, scope } = TOPICS[topicId];
  return {
    topicId,
    description,
    scope,
    status: 'ENABLED',
    context: 'SELLER',
    filterable: false,
    authorizationScopes: scope === 'USER' ? ['https://api.ebay.com/oauth/api_scope/sell.fulfillment'] : [],
    supportedPayloads: [
      { schemaVersion: SCHEMA_VERSION, format: ['JSON'], deliveryProtocol: 'HTTPS', deprecated: false },
    ],
  };
}

function destinationIn(body: JsonObject): Omit<Destination, 'destinationId'> {
  const name = textIn(body.name) ?? '';
  if (name === '' || name.length > 64)
    throw notificationRefusal(400, 195016, 'Invalid name. Markups or lengths greater than 64 not supported');
  const { endpoint, verificationToken } = asObject(body.deliveryConfig);
  if (typeof endpoint !== 'string' || !parsedUrl(endpoint))
    throw notificationRefusal(400, 195017, 'Invalid or missing endpoint.');
  if (typeof verificationToken !== 'string' || !ENDPOINT_TOKEN.test(verificationToken))
    throw notificationRefusal(400, 195019, 'Invalid or missing verification token for this endpoint.');
  const status = textIn(body.status) ?? '';
  if (!['ENABLED', 'DISABLED'].includes(status))
    throw notificationRefusal(
      400,
      195018,
      'Invalid or missing destination status. Supported values:[ENABLED,DISABLED]',
    );
  return { name, status, deliveryConfig: { endpoint, verificationToken } };
}

function statusIn(body: JsonObject): string {
  const status = textIn(body.status) ?? '';
  if (!['ENABLED', 'DISABLED'].includes(status))
    throw notificationRefusal(400, 195006, 'Invalid or missing subscription status.');
  return status;
}

function payloadIn(body: JsonObject): object {
  const { schemaVersion, format, deliveryProtocol } = asObject(body.payload);
  if (schemaVersion !== SCHEMA_VERSION)
    throw notificationRefusal(400, 195008, 'Invalid or missing schema version.');
  if (format !== 'JSON')
    throw notificationRefusal(400, 195009, 'Specified format is not supported for the topic.');
  if (deliveryProtocol !== 'HTTPS') throw notificationRefusal(400, 195010, 'Invalid or missing protocol');
  return { schemaVersion, format, deliveryProtocol };
}

/** Asks the endpoint, as eBay does before it sends anything there. Throws `EbayRefusal` (409) on a wrong answer. */
async function challenge({ endpoint, verificationToken }: Destination['deliveryConfig']): Promise<void> {
  const code = randomBytes(16).toString('hex');
  const expected = challengeResponse(code, verificationToken, endpoint);
  const given = await fetch(`${endpoint}?challenge_code=${code}`, {
    redirect: 'manual',
    signal: AbortSignal.timeout(CHALLENGE_WITHIN_MS),
  })
    .then(async (response) => (response.status === 200 ? ((await response.json()) as unknown) : undefined))
    .catch(() => undefined);
  if (asObject(given).challengeResponse !== expected)
    throw notificationRefusal(409, 195020, 'Challenge verification failed for requested endpoint');
}
