import { Injectable, Logger, Optional } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { JobCounts } from 'bull';
import type { DataSource } from 'typeorm';
import { ListenerService } from '../database/listener.service';
import { readWake, type Wake } from './wake';
import { WakeOutbox } from './wake-outbox';
import { WakeQueueService } from './wake-queue.service';

const SQL_CHANNEL = 'onhand_jobs';

export interface WakeReceiver {
  take(wake: Wake): void;
  /** Wakes may have been missed. */
  missed(): void;
}

/**
 * Carries wakes to the hosts that work: through the queue, where one of them takes each; through PostgreSQL,
 * which tells them all, when there is no queue or it is of no use. Both may lose or repeat a wake.
 */
@Injectable()
export class WakePostService {
  /** Wakes carried since start, for metrics. */
  readonly counts = { queue: 0, notify: 0 };
  private readonly log = new Logger('jobs');
  private readonly outbox = new WakeOutbox((wakes) => this.deliver(wakes));
  private receiver: WakeReceiver | undefined;
  private closed = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly listener: ListenerService,
    @Optional() private readonly queue?: WakeQueueService,
  ) {}

  /** `off` when none is configured. */
  get redis(): 'off' | 'up' | 'down' {
    if (!this.queue) return 'off';
    return this.queue.isUp ? 'up' : 'down';
  }

  /** Jobs in Bull's queue by their state; undefined without a Redis that answers. */
  async queued(): Promise<JobCounts | undefined> {
    return this.queue?.counts();
  }

  /** Wakes go out from here on; they come in where there is a `receiver`. */
  async start(receiver: WakeReceiver | undefined): Promise<void> {
    this.receiver = receiver;
    this.queue?.start({
      take: receiver && ((wake) => this.receiver?.take(wake)),
      handBack: (wakes) => void this.carryOtherwise(wakes),
    });
    if (!receiver) return;
    await this.listener.listen(SQL_CHANNEL, {
      heard: (payload) => this.hear(payload),
      missed: () => this.receiver?.missed(),
    });
  }

  /** Never throws and never waits. */
  send(wake: Wake): void {
    if (!this.closed) this.outbox.put(wake);
  }

  /** No wake comes in any more; they still go out. */
  stopReceiving(): void {
    this.receiver = undefined;
    this.queue?.stopTaking();
  }

  /** What is on its way leaves first. */
  async close(): Promise<void> {
    this.closed = true;
    await this.outbox.empty();
    await this.queue?.close();
  }

  private async deliver(wakes: Wake[]): Promise<void> {
    const left = this.queue ? await this.queue.add(wakes) : wakes;
    this.counts.queue += wakes.length - left.length;
    await this.carryOtherwise(left);
  }

  /** A host that works does the work itself; any other tells those that do. */
  private async carryOtherwise(wakes: Wake[]): Promise<void> {
    if (wakes.length === 0) return;
    if (this.receiver) {
      for (const wake of wakes) this.receiver.take(wake);
      return;
    }
    try {
      const payloads = wakes.map((wake) => JSON.stringify(wake));
      await this.dataSource.query(
        `SELECT pg_notify('${SQL_CHANNEL}', wake) FROM unnest($1::text[]) AS w (wake)`,
        [payloads],
      );
      this.counts.notify += wakes.length;
    } catch (error) {
      // Without the database there is nothing to do either; once it is back, the scheduler wakes everything.
      this.log.warn(`could not wake other hosts: ${(error as Error).message}`);
    }
  }

  private hear(payload: string): void {
    const wake = readWake(parsed(payload));
    if (wake) this.receiver?.take(wake);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
