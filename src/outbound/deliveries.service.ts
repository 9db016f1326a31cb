import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { Config } from '../config/config';
import { type PageOf, pageOf } from '../http/page';
import { JobsService } from '../jobs/jobs.service';
import type { NewDelivery } from './delivery-records';
import { DeliveredAlreadyError, UnknownDeliveryError } from './outbound.errors';
import { bodyOf, isWanted, type OutboundEvent } from './outbound-event';
import { ReceiversService } from './receivers.service';

export const SEND_DELIVERIES = 'send-deliveries';

/** A delivery as `GET /v1/deliveries` tells it. */
export interface DeliveryView {
  id: string;
  receiver: string;
  event: string;
  subject: string;
  channel: string | null;
  state: 'waiting' | 'delivered' | 'given-up';
  attempts: number;
  status: number | null;
  error: string | null;
  createdAt: Date;
  /** When it is tried next; null once it is over. */
  nextAt: Date | null;
  deliveredAt: Date | null;
}

export interface DeliveryFilter {
  receiver?: string | undefined;
  state?: DeliveryView['state'] | undefined;
}

/** Beyond the receiver's own time: from the claim to the record of what became of it. */
const LEASE_MARGIN_SECONDS = 15;

/** What is to be told, told, and looked at afterwards. */
@Injectable()
export class DeliveriesService {
  private readonly log = new Logger('deliveries');
  private stopped = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly receivers: ReceiversService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  /** In the caller's transaction, one delivery for each receiver that wants the event. Answers whom to `wake` after it. */
  add(client: PoolClient, events: readonly OutboundEvent[]): Promise<string[]> {
    const deliveries = events.flatMap((event) => {
      const wanting = this.receivers.all().filter((receiver) => isWanted(event, receiver));
      if (wanting.length === 0) return [];
      const { type, subject, channels, stateOf, version } = event;
      const shared = {
        event: type,
        subject,
        channel: channels[0] ?? null,
        stateOf,
        version,
        body: bodyOf(event),
      };
      return wanting.map(({ name }): NewDelivery => ({ receiver: name, ...shared }));
    });
    return this.receivers.records.add(client, deliveries);
  }

  wake(receivers: readonly string[]): void {
    for (const name of receivers) this.jobs.wake(SEND_DELIVERIES, name);
  }

  /** Sends page by page until nothing is due. What a host that stops has not recorded is sent again. */
  async sendDue(receiver: string): Promise<void> {
    const sender = this.receivers.senderOf(receiver);
    const leaseSeconds = this.config.deliveries.timeoutSeconds + LEASE_MARGIN_SECONDS;
    while (!this.stopped) {
      const claim = await this.receivers.records.claim(receiver, sender.atOnce, leaseSeconds);
      if (claim.deliveries.length === 0) return;
      const outcomes = await sender.send(claim.deliveries);
      // Its connections were ended with the host: what came of it is not known.
      if (this.stopped && outcomes.some(({ delivered }) => !delivered)) return;
      await this.receivers.records.record(receiver, claim, outcomes);
      const failure = outcomes.find(({ delivered }) => !delivered);
      if (failure) this.log.warn(`${receiver} did not take ${claim.deliveries[0]!.event}: ${failure.error}`);
    }
  }

  stop(): void {
    this.stopped = true;
  }

  /** Newest first. */
  async list(
    filter: DeliveryFilter,
    limit: number,
    beforeNr: number | undefined,
  ): Promise<PageOf<DeliveryView>> {
    const rows: (DeliveryView & { nr: number })[] = await this.dataSource.query(
      `SELECT nr, ${VIEW} FROM deliveries
        WHERE ($1::text IS NULL OR receiver = $1) AND ($2::text IS NULL OR state = $2) AND nr < $3
        ORDER BY nr DESC LIMIT $4`,
      [filter.receiver ?? null, filter.state ?? null, beforeNr ?? Number.MAX_SAFE_INTEGER, limit + 1],
    );
    return pageOf(
      rows,
      limit,
      ({ nr }) => nr,
      ({ nr: _nr, ...view }) => view,
    );
  }

  /** With what is sent. Throws `UnknownDeliveryError`. */
  async get(id: string): Promise<DeliveryView & { body: unknown }> {
    const [row]: (DeliveryView & { body: string })[] = await this.dataSource.query(
      `SELECT ${VIEW}, body FROM deliveries WHERE id = $1`,
      [id],
    );
    if (!row) throw new UnknownDeliveryError(id);
    return { ...row, body: JSON.parse(row.body) as unknown };
  }

  /** Has it sent now, under the same webhook-id. Throws `UnknownDeliveryError`, `DeliveredAlreadyError`. */
  async retry(id: string): Promise<DeliveryView> {
    const { state } = await this.get(id);
    if (state === 'delivered') throw new DeliveredAlreadyError(id);
    this.wake(await this.receivers.records.retry({ id }));
    return this.get(id);
  }

  /** Has all that was given up sent again, of one receiver or of all. Answers how many. */
  async retryGivenUp(receiver: string | undefined): Promise<number> {
    if (receiver !== undefined) this.receivers.senderOf(receiver);
    const receivers = await this.receivers.records.retry({ receiver: receiver ?? null });
    this.wake([...new Set(receivers)]);
    return receivers.length;
  }
}

const VIEW = `id, receiver, event, subject, channel, state, attempts, status, error, created_at AS "createdAt",
  CASE WHEN state = 'waiting' THEN next_at END AS "nextAt", CASE WHEN state = 'delivered' THEN finished_at END AS "deliveredAt"`;
