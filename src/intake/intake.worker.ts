import { setImmediate as turn } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { type ChannelDocument, ChannelProtocolError, isChannelError, isHeldBack } from '../channel-api';
import { ChannelsService, type ReadyChannel } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { Config } from '../config/config';
import { JobsService } from '../jobs/jobs.service';
import { traced } from '../telemetry/tracing';
import { CountsService } from './counts.service';
import { withinDeadline } from './deadline';
import { InboxService, type InboxRow } from './inbox.service';
import { errorCode, errorText, isOutage, PluginFaultError } from './intake.errors';
import { checkedOrder } from './order-document';
import { OrdersService } from './orders.service';
import { checkedDocuments } from './received-documents';

export const APPLY_INBOX = 'apply-inbox';
const APPLY_MAPPED = 'apply-mapped-orders';
/** Of one channel. Few enough that no channel has the ledger to itself for long. */
const ROWS_AT_ONCE = 128;
/** Translation is the plugin's and takes what it takes; after so long with it, others have their turn. */
const TURN_AFTER_MS = 10;
/** Shorter than the claim on the row that tells of it. */
const READ_ORDER_SECONDS = 45;
/** A plugin in this process cannot be interrupted: whoever holds the process this long is named in the log. */
const SLOW_TRANSLATION_MS = 500;

/** `followed`: it told only which orders to read, and they were. */
type Outcome = 'applied' | 'followed' | 'set-aside';

/**
 * Turns what was received into ledger commands, each channel by itself: its backlog, its plugin's errors and
 * its absence hold up no other. A row that cannot be applied is parked, alone.
 */
@Injectable()
export class IntakeWorker implements OnApplicationBootstrap, OnModuleInit {
  private readonly log = new Logger('intake');

  constructor(
    private readonly inbox: InboxService,
    private readonly orders: OrdersService,
    private readonly counts: CountsService,
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.process(APPLY_INBOX, (name) => (name === undefined ? this.sweep() : this.applyReceived(name)));
    this.jobs.process(APPLY_MAPPED, async () => {
      await this.orders.applyMapped();
    });
    this.jobs.every(this.config.intake.sweepEverySeconds, APPLY_INBOX);
    this.jobs.every(this.config.intake.sweepEverySeconds, APPLY_MAPPED);
  }

  /** What an earlier run of the host received and did not get to. */
  onApplicationBootstrap(): void {
    this.jobs.wake(APPLY_INBOX);
  }

  private async sweep(): Promise<void> {
    for (const { name } of this.channels.ready()) this.jobs.wake(APPLY_INBOX, name);
    const strays = await this.inbox.parkStrays(this.config.channels.map(({ name }) => name));
    if (strays > 0) this.log.warn(`${strays} webhooks of channels that onhand.yaml does not name are parked`);
  }

  /** The rows of a channel that is not served wait for it, and no attempt of theirs is spent. */
  private async applyReceived(name: string): Promise<void> {
    const channel = this.channels.get(name);
    if (channel.state === 'failed') return;
    for (;;) {
      const rows = await this.inbox.claim(name, ROWS_AT_ONCE);
      const outcomes: Promise<Outcome>[] = [];
      let began = performance.now();
      for (const row of rows) {
        const outcome = this.applyTraced(channel, row);
        // It is awaited with the others; until then nobody would catch what it rejects with.
        outcome.catch(() => undefined);
        outcomes.push(outcome);
        if (performance.now() - began > TURN_AFTER_MS) {
          await turn();
          began = performance.now();
        }
      }
      const ended = await Promise.all(outcomes);
      const idsOf = (outcome: Outcome) =>
        rows.filter((_, index) => ended[index] === outcome).map(({ id }) => id);
      await this.inbox.markApplied(idsOf('applied'));
      await this.inbox.markFollowed(idsOf('followed'));
      if (rows.length < ROWS_AT_ONCE) return;
    }
  }

  private applyTraced(channel: ReadyChannel, row: InboxRow): Promise<Outcome> {
    const start = () => ({
      name: 'apply webhook',
      kind: 'consumer' as const,
      parent: row.headers.traceparent ?? null,
      facts: { 'onhand.channel': row.channel, 'onhand.webhook.topic': row.topic },
    });
    return traced(start, async (span) => {
      const outcome = await this.applyRow(channel, row);
      span.add({ 'onhand.outcome': outcome });
      return outcome;
    });
  }

  private async applyRow(channel: ReadyChannel, row: InboxRow): Promise<Outcome> {
    try {
      const documents = this.translate(channel, row);
      for (const document of documents) {
        if (document.kind === 'order') await this.orders.apply(channel.name, document);
        else if (document.kind === 'order-changed') await this.readChanged(channel, document.orderId);
        else if (document.kind === 'counted-stock') await this.counts.apply(channel.name, document.items);
        else await this.listings.recordShown(channel.name, document.items);
      }
      const isHint = documents.length > 0 && documents.every(({ kind }) => kind === 'order-changed');
      return isHint ? 'followed' : 'applied';
    } catch (error) {
      await this.setAside(row, error);
      return 'set-aside';
    }
  }

  /** A notification may be faster than the channel's own index of its orders: what is not there yet is asked for again. */
  private async readChanged({ name, pluginName, channel }: ReadyChannel, orderId: string): Promise<void> {
    if (!channel.readOrder) throw new PluginFaultError(pluginName, new Error('it has no readOrder'));
    const order = await withinDeadline(channel.readOrder(orderId), READ_ORDER_SECONDS, 'reading the order');
    if (!order) throw new ChannelProtocolError('the channel tells of an order that it does not have');
    await this.orders.apply(name, checkedOrder(order));
  }

  private translate(channel: ReadyChannel, { id, path, headers, body }: InboxRow): ChannelDocument[] {
    const began = performance.now();
    try {
      return checkedDocuments(
        channel.channel.translateWebhook({ method: 'POST', path, headers, body }) as unknown,
      );
    } catch (error) {
      // Translation is pure: an error that the contract does not know would be the same the next time.
      throw isChannelError(error) ? error : new PluginFaultError(channel.pluginName, error);
    } finally {
      const tookMs = Math.round(performance.now() - began);
      if (tookMs > SLOW_TRANSLATION_MS)
        this.log.warn(
          `${channel.name}: ${channel.pluginName} held the whole process for ${tookMs} ms over webhook ${id}`,
        );
    }
  }

  private async setAside(row: InboxRow, error: unknown): Promise<void> {
    // A channel that is away cannot be asked for an order; the row is not to blame.
    const outage =
      isOutage(error) || isHeldBack(error as object) || errorCode(error) === 'channel-unavailable';
    const hopeless = (error as { retryable?: boolean } | undefined)?.retryable === false;
    const park = !outage && (hopeless || row.attempts >= this.config.intake.maxAttempts);
    this.log.warn(
      `${row.channel}: webhook ${row.id} ${park ? 'is parked' : 'will be tried again'}: ${errorText(error, 500)}`,
    );
    if (park) await this.inbox.park(row.id, error);
    else await this.inbox.retryLater(row.id, error, !outage);
  }
}
