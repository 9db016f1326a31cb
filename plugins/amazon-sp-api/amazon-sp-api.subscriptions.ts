import type { ChannelLogger } from 'onhand/channel-api';
import { AmazonRefusal, type SpApiClient } from './amazon-sp-api.client';
import type { AmazonSpApiOptions, SqsOptions } from './amazon-sp-api.options';
import { NOTIFICATIONS_SCOPE } from './amazon-sp-api.tokens';
import type { WireDestination } from './amazon-sp-api.wire';

/** Where a kind of notification can go is Amazon's to say: some to SQS, some to EventBridge alone. */
interface Wanted {
  type: string;
  by: 'sqs' | 'eventBridge';
}

interface Subscription {
  destinationId: string;
}

/**
 * Has Amazon send notifications to the queue: a destination of the application, and a subscription of the seller for
 * each type (developer-docs.amazon.com/sp-api/docs/set-up-notifications-with-amazon-sqs).
 */
export class Subscriptions {
  constructor(
    private readonly client: SpApiClient,
    private readonly log: ChannelLogger,
    private readonly options: AmazonSpApiOptions & { sqs: SqsOptions },
  ) {}

  /** Makes what is missing; asked again it makes nothing. */
  async make(): Promise<void> {
    for (const { type, by } of this.wanted()) {
      const known = await this.find(type);
      const destinationId = await this.destination(by);
      if (known === undefined) await this.subscribe(type, destinationId);
      else if (known.destinationId !== destinationId)
        this.log.warn(
          `${type} goes to another destination than this channel's queue; delete that subscription, and this one is made`,
        );
    }
  }

  private wanted(): Wanted[] {
    const { sqs, fba } = this.options;
    return [
      { type: 'ORDER_CHANGE', by: 'sqs' },
      ...(fba ? [{ type: 'FBA_INVENTORY_AVAILABILITY_CHANGES', by: 'sqs' } as const] : []),
      ...(sqs.eventBridge ? [{ type: 'LISTINGS_ITEM_MFN_QUANTITY_CHANGE', by: 'eventBridge' } as const] : []),
    ];
  }

  private async find(type: string): Promise<Subscription | undefined> {
    try {
      const { payload } = await this.client.call<{ payload?: Subscription }>({
        operation: 'getSubscription',
        method: 'GET',
        path: `/notifications/v1/subscriptions/${type}`,
        query: { payloadVersion: '1.0' },
      });
      return payload;
    } catch (error) {
      if (error instanceof AmazonRefusal && error.status === 404) return undefined;
      throw error;
    }
  }

  private async subscribe(type: string, destinationId: string): Promise<void> {
    await this.client.call({
      operation: 'createSubscription',
      method: 'POST',
      path: `/notifications/v1/subscriptions/${type}`,
      json: { payloadVersion: '1.0', destinationId },
    });
    this.log.info(`Amazon sends ${type} from now on`);
  }

  /** Destinations are the application's, so they are asked for without a seller. */
  private async destination(by: Wanted['by']): Promise<string> {
    const { payload = [] } = await this.client.call<{ payload?: WireDestination[] }>({
      operation: 'getDestinations',
      method: 'GET',
      path: '/notifications/v1/destinations',
      grant: NOTIFICATIONS_SCOPE,
    });
    const { arn, accountId, region } = placeOf(this.options.sqs);
    const known = payload.find(({ resource: { sqs, eventBridge } }) =>
      by === 'sqs' ? sqs?.arn === arn : eventBridge?.accountId === accountId && eventBridge.region === region,
    );
    if (known) return known.destinationId;
    const made = await this.client.call<{ payload: WireDestination }>({
      operation: 'createDestination',
      method: 'POST',
      path: '/notifications/v1/destinations',
      grant: NOTIFICATIONS_SCOPE,
      json: {
        name: `onhand-${by}-${accountId}`,
        resourceSpecification: by === 'sqs' ? { sqs: { arn } } : { eventBridge: { accountId, region } },
      },
    });
    return made.payload.destinationId;
  }
}

/** A queue's address names the account that has it. */
function placeOf({ queueUrl, region }: SqsOptions): { arn: string; accountId: string; region: string } {
  const [accountId = '', name = ''] = new URL(queueUrl).pathname.split('/').slice(-2);
  return { arn: `arn:aws:sqs:${region}:${accountId}:${name}`, accountId, region };
}
