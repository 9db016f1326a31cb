import { randomUUID } from 'node:crypto';
import { type ApiCall, ApiRefusal, type Handlers, invalidInput, membersOf, ok, textIn } from './api-call';
import type { MessageQueue } from './message-queue';

interface Destination {
  destinationId: string;
  name: string;
  resource: { sqs?: { arn: string }; eventBridge?: { name: string; region: string; accountId: string } };
}

interface Subscription {
  subscriptionId: string;
  payloadVersion: string;
  destinationId: string;
  processingDirective?: unknown;
}

/**
 * What Amazon sends to a queue itself, and what it gives to EventBridge only, from where a rule of the account's
 * own takes it to the queue. https://developer-docs.amazon.com/sp-api/docs/notification-type-values
 */
const TO_QUEUE = ['ORDER_CHANGE', 'FEED_PROCESSING_FINISHED', 'FBA_INVENTORY_AVAILABILITY_CHANGES'];
const TO_EVENT_BRIDGE = [
  ...['LISTINGS_ITEM_MFN_QUANTITY_CHANGE', 'LISTINGS_ITEM_STATUS_CHANGE', 'LISTINGS_ITEM_ISSUES_CHANGE'],
];
/** Written with keys in camel case, where all others use Pascal case. */
const IN_CAMEL_CASE = ['FEED_PROCESSING_FINISHED'];
const APPLICATION = 'amzn1.sellerapps.app.simulated';
const ACCOUNT = '123456789012';
const REGION = 'us-east-1';

export type NotificationType =
  | 'ORDER_CHANGE'
  | 'FEED_PROCESSING_FINISHED'
  | 'FBA_INVENTORY_AVAILABILITY_CHANGES'
  | 'LISTINGS_ITEM_MFN_QUANTITY_CHANGE';

/** The Notifications API, v1: where notifications go, which ones are wanted, and the sending of them. */
export class Notifications {
  readonly handlers: Handlers = {
    getDestinations: () => ok({ payload: [...this.destinations.values()] }),
    createDestination: (call) => this.createDestination(call),
    getDestination: ({ parameters }) => ok({ payload: this.destination(parameters.destinationId as string) }),
    deleteDestination: ({ parameters }) => {
      this.destinations.delete(this.destination(parameters.destinationId as string).destinationId);
      return ok({});
    },
    getSubscription: ({ parameters }) =>
      ok({ payload: this.subscription(parameters.notificationType as string) }),
    createSubscription: (call) => this.createSubscription(call),
    getSubscriptionById: ({ parameters }) => ok({ payload: this.subscription(typeOf(parameters)) }),
    deleteSubscriptionById: ({ parameters }) => {
      this.subscription(typeOf(parameters));
      this.subscriptions.delete(typeOf(parameters));
      return ok({});
    },
    sendTestNotification: ({ parameters }) => {
      this.subscription(typeOf(parameters));
      this.send(typeOf(parameters) as NotificationType, {});
      return ok({});
    },
  };

  private readonly destinations = new Map<string, Destination>();
  private readonly subscriptions = new Map<string, Subscription>();

  constructor(
    private readonly queue: MessageQueue,
    private readonly arn: string,
  ) {}

  isSubscribed(type: NotificationType): boolean {
    return this.subscriptions.has(type);
  }

  /** As if somebody had made destinations and subscriptions for these types before. */
  subscribe(types: readonly NotificationType[]): void {
    for (const type of types) {
      const resource = TO_QUEUE.includes(type)
        ? { sqs: { arn: this.arn } }
        : { eventBridge: { name: eventSource(ACCOUNT), region: REGION, accountId: ACCOUNT } };
      const kind = Object.keys(resource)[0] as string;
      const { destinationId } = this.destinationWith(resource) ?? this.keep(`onhand-${kind}`, resource);
      this.subscriptions.set(type, { subscriptionId: randomUUID(), payloadVersion: '1.0', destinationId });
    }
  }

  /** Nothing is sent to nobody. */
  send(type: NotificationType, payload: object): void {
    const subscription = this.subscriptions.get(type);
    if (!subscription) return;
    const now = new Date().toISOString();
    const notification = {
      NotificationVersion: '1.0',
      NotificationType: type,
      PayloadVersion: subscription.payloadVersion,
      EventTime: now,
      Payload: payload,
      NotificationMetadata: {
        ApplicationId: APPLICATION,
        SubscriptionId: subscription.subscriptionId,
        PublishTime: now,
        NotificationId: randomUUID(),
      },
    };
    const cased = IN_CAMEL_CASE.includes(type) ? inCamelCase(notification) : notification;
    this.queue.send(JSON.stringify(TO_EVENT_BRIDGE.includes(type) ? asEvent(type, now, cased) : cased));
  }

  private createDestination({ body }: ApiCall) {
    const name = textIn(body, 'name');
    const { sqs, eventBridge } = membersOf(membersOf(body).resourceSpecification);
    if ((sqs === undefined) === (eventBridge === undefined)) {
      throw invalidInput('resourceSpecification needs one of sqs and eventBridge.');
    }
    const resource = sqs === undefined ? eventBridgeOf(eventBridge) : { sqs: { arn: arnOf(sqs) } };
    if (resource.sqs && resource.sqs.arn !== this.arn) {
      throw invalidInput('Amazon may not send to the queue: it must let 437568002678 SendMessage.');
    }
    if (this.destinationWith(resource))
      throw new ApiRefusal(409, 'Conflict', 'The destination exists already.');
    return ok({ payload: this.keep(name, resource) });
  }

  private createSubscription({ parameters, body }: ApiCall) {
    const type = typeOf(parameters);
    const payloadVersion = textIn(body, 'payloadVersion');
    const { resource, destinationId } = this.destination(textIn(body, 'destinationId'));
    const fits = resource.sqs ? TO_QUEUE : TO_EVENT_BRIDGE;
    if (!fits.includes(type)) throw invalidInput(`${type} does not go to this kind of destination.`);
    if (this.subscriptions.has(type)) {
      throw new ApiRefusal(409, 'Conflict', 'A subscription for this type exists already.');
    }
    const { processingDirective } = membersOf(body);
    const subscription = {
      ...{ subscriptionId: randomUUID(), payloadVersion, destinationId },
      ...(processingDirective === undefined ? {} : { processingDirective }),
    };
    this.subscriptions.set(type, subscription);
    return ok({ payload: subscription });
  }

  private keep(name: string, resource: Destination['resource']): Destination {
    const destination = { destinationId: randomUUID(), name, resource };
    this.destinations.set(destination.destinationId, destination);
    return destination;
  }

  private destinationWith({ sqs, eventBridge }: Destination['resource']): Destination | undefined {
    return [...this.destinations.values()].find(
      ({ resource }) =>
        (sqs && resource.sqs?.arn === sqs.arn) ||
        (eventBridge && resource.eventBridge?.accountId === eventBridge.accountId),
    );
  }

  private destination(id: string): Destination {
    const destination = this.destinations.get(id);
    if (!destination) throw new ApiRefusal(404, 'NotFound', 'The destination is not known.');
    return destination;
  }

  private subscription(type: string): Subscription {
    const subscription = this.subscriptions.get(type);
    if (!subscription) throw new ApiRefusal(404, 'NotFound', 'There is no subscription for this type.');
    return subscription;
  }
}

function typeOf(parameters: Record<string, string>): string {
  return parameters.notificationType as string;
}

function arnOf(sqs: unknown): string {
  const { arn } = membersOf(sqs);
  if (typeof arn !== 'string' || !/^arn:aws:sqs:\S+:\S+:\S+$/.test(arn))
    throw invalidInput('arn is not one of SQS.');
  if (arn.endsWith('.fifo')) throw invalidInput('FIFO queues are not supported.');
  return arn;
}

function eventBridgeOf(eventBridge: unknown): Destination['resource'] {
  const [region, accountId] = [textIn(eventBridge, 'region'), textIn(eventBridge, 'accountId')];
  return { eventBridge: { name: eventSource(accountId), region, accountId } };
}

function eventSource(accountId: string): string {
  return `aws.partner/sellingpartnerapi.amazon.com/${accountId}/${APPLICATION}`;
}

/** As a rule of EventBridge puts it into a queue. */
function asEvent(type: string, time: string, detail: object): object {
  return {
    ...{ version: '0', id: randomUUID(), 'detail-type': type, source: eventSource(ACCOUNT) },
    ...{ account: ACCOUNT, time, region: REGION, resources: [], detail },
  };
}

function inCamelCase(value: object): object {
  const isNested = (inner: unknown): inner is object => typeof inner === 'object' && inner !== null;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => [
      `${key.charAt(0).toLowerCase()}${key.slice(1)}`,
      isNested(inner) ? inCamelCase(inner) : inner,
    ]),
  );
}
