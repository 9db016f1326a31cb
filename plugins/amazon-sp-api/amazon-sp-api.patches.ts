import {
  ChannelProtocolError,
  isChannelError,
  type ChannelClock,
  type ChannelError,
  type InventoryUpdate,
  type PushResult,
} from 'onhand/channel-api';
import { AmazonRefusal, segment, type SpApiClient } from './amazon-sp-api.client';
import type { AmazonSpApiOptions } from './amazon-sp-api.options';
import { reasonOf, rejected, unanswered } from './amazon-sp-api.results';
import type { WireSubmission } from './amazon-sp-api.wire';

/** Enough for five a second at half a second each, and few enough that none waits long for its turn. */
const AT_ONCE = 6;
/** So many rows in a row without an answer are Amazon being away, not bad rows. */
const UNANSWERED_IN_A_ROW = 3;

/** What all rows would meet alike. */
const STOPS_ALL = [
  'channel-throttled',
  'channel-unauthorized',
  'channel-breaker-open',
  'limits-unavailable',
  'too-late',
  'channel-address',
];

/**
 * The operations that set a quantity, of a call and of a feed's message alike. `merge` (since 2025-06) changes the
 * quantity and leaves what stands beside it, such as the handling time, which `replace` would drop
 * (developer-docs.amazon.com/sp-api/changelog/update-listings-items-v2021-08-01-api-and-json_listing_feed-now-include-a-json-patch-merge-operation).
 */
export function quantityPatches(quantityUnits: number) {
  return {
    productType: 'PRODUCT',
    patches: [
      {
        op: 'merge',
        path: '/attributes/fulfillment_availability',
        value: [{ fulfillment_channel_code: 'DEFAULT', quantity: quantityUnits }],
      },
    ],
  };
}

/** Listings one by one, several at a time, until the time is up. */
export class Patches {
  constructor(
    private readonly client: SpApiClient,
    private readonly clock: ChannelClock,
    private readonly options: AmazonSpApiOptions,
  ) {}

  /** One result per update. Throws a channel error only where no row was answered. */
  async send(
    marketplaceId: string,
    updates: readonly InventoryUpdate[],
    stopAt: number,
  ): Promise<PushResult[]> {
    const run = new PatchRun(updates, () => this.clock.now().getTime() >= stopAt);
    const work = async () => {
      for (let update = run.next(); update; update = run.next()) {
        try {
          run.answered(await this.patch(marketplaceId, update));
        } catch (error) {
          if (!isChannelError(error)) throw error;
          run.failed(update, error);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return run.end();
  }

  private async patch(marketplaceId: string, update: InventoryUpdate): Promise<PushResult> {
    const { pushId, channelSku, quantityUnits } = update;
    const sku = segment(channelSku);
    if (sku === undefined)
      return rejected(pushId, 'unusable-sku', 'the SKU cannot stand in the path of a call');
    try {
      const submission = await this.client.call<WireSubmission>({
        operation: 'patchListingsItem',
        method: 'PATCH',
        path: `/listings/2021-08-01/items/${this.options.sellerId}/${sku}`,
        query: { marketplaceIds: [marketplaceId] },
        json: quantityPatches(quantityUnits),
      });
      return resultOf(pushId, submission);
    } catch (error) {
      if (!(error instanceof AmazonRefusal)) throw error;
      return rejected(pushId, error.errors[0]?.code ?? 'amazon-refused', error.message);
    }
  }
}

/** ACCEPTED is a place in a queue, and what comes of it is seen in a read. INVALID comes under HTTP 200 too. */
function resultOf(pushId: string, { status, issues = [] }: WireSubmission): PushResult {
  if (status === 'ACCEPTED') return { pushId, outcome: 'accepted' };
  if (status !== 'INVALID') throw new ChannelProtocolError('patchListingsItem answered without a status');
  const errors = issues.filter(({ severity }) => severity === 'ERROR');
  const reason = reasonOf(errors.length > 0 ? errors : issues);
  return rejected(pushId, errors[0]?.code ?? 'invalid', reason);
}

/** What is left to send, and what became of the rest. */
class PatchRun {
  private readonly results: PushResult[] = [];
  private readonly failures: { update: InventoryUpdate; error: ChannelError }[] = [];
  private place = 0;
  private failuresInARow = 0;
  private stopped: ChannelError | undefined;

  constructor(
    private readonly updates: readonly InventoryUpdate[],
    private readonly isOver: () => boolean,
  ) {}

  /** Always the first, so that a host whose clock jumps does not go on without sending anything. */
  next(): InventoryUpdate | undefined {
    if (this.stopped || (this.place > 0 && this.isOver())) return undefined;
    return this.updates[this.place++];
  }

  answered(result: PushResult): void {
    this.results.push(result);
    this.failuresInARow = 0;
  }

  failed(update: InventoryUpdate, error: ChannelError): void {
    this.failures.push({ update, error });
    this.failuresInARow++;
    if (STOPS_ALL.includes(error.code) || this.failuresInARow >= UNANSWERED_IN_A_ROW) this.stopped = error;
  }

  end(): PushResult[] {
    const [first] = this.failures;
    if (first && this.results.length === 0) throw first.error;
    const untried = this.updates.slice(this.place);
    return [
      ...this.results,
      ...this.failures.map(({ update, error }) => unanswered(update.pushId, error)),
      ...untried.map(({ pushId }) => unanswered(pushId, this.stopped ?? NOT_YET)),
    ];
  }
}

/** Held back as by a limit: it is one, of five calls in a second. */
const NOT_YET = {
  code: 'channel-throttled',
  message: 'not sent: its turn under the plan of patchListingsItem has not come yet',
};
