import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { CallBreaker, CheckResult } from '../channel-api';
import { Config } from '../config/config';
import { ListenerService } from '../database/listener.service';
import { poolOf } from '../database/pool';
import { type BreakerChange, BreakerRecords, type BreakerRow, type HeldAs } from './breaker-records';
import { type BreakerCounts, type BreakerState, ChannelBreaker, type Staleness } from './channel-breaker';
import { UnknownChannelError } from './channels.errors';
import { runProbe } from './probe';

/** What a channel is again, once its breaker closed or it answered after a long silence. */
export type BreakerEvent = 'opened' | 'closed' | 'probe-due' | 'heard';

/** A probe is given up after this, and its lease ends a little later. */
const PROBE_TIMEOUT_MS = 45_000;
const PROBE_LEASE_SECONDS = 60;
/** Notifications can be missed; so each host looks for itself this often. */
const REREAD_EVERY_MS = 5_000;
const TOLD_CHANGES = 20;

/** Which channels are left alone because they do not answer, the same on all hosts and after a restart. */
@Injectable()
export class BreakerService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('breaker');
  private readonly records: BreakerRecords;
  private readonly breakers = new Map<string, ChannelBreaker>();
  private readonly listeners: ((channel: string, event: BreakerEvent) => void)[] = [];
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private reread: NodeJS.Timeout | undefined;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly config: Config,
    private readonly listener: ListenerService,
  ) {
    this.records = new BreakerRecords(poolOf(dataSource));
    for (const { name, breaker } of config.channels) {
      const events = {
        trip: (reason: string) => this.trip(name, reason),
        unheard: (elapsedMs: number) => this.note(name, this.records.unheard(name, elapsedMs)),
        heard: () => this.note(name, this.records.heard(name), 'heard'),
      };
      this.breakers.set(name, new ChannelBreaker(name, breaker, events));
    }
  }

  /** Reads what other hosts and earlier runs know. Before the first call to a channel. */
  async load(): Promise<void> {
    await this.records.create(this.names());
    await this.read(this.names());
  }

  async onApplicationBootstrap(): Promise<void> {
    const readAll = () => void this.read(this.names()).catch(() => undefined);
    await this.listener.listen('onhand_breakers', {
      heard: (channel) => void this.read([channel]).catch(() => undefined),
      missed: readAll,
    });
    this.reread = setInterval(readAll, REREAD_EVERY_MS).unref();
    await this.read(this.names());
  }

  onApplicationShutdown(): void {
    clearInterval(this.reread);
    for (const timer of this.timers.values()) clearTimeout(timer);
  }

  /** The gate of the channel's calls. */
  gateOf(channel: string): CallBreaker {
    return this.breaker(channel);
  }

  /** True while calls to the channel are refused: what is to be sent there is better left where it is. */
  isOpen(channel: string): boolean {
    return this.breaker(channel).isOpen;
  }

  /** From memory; throws `UnknownChannelError`. */
  stateOf(channel: string): BreakerState {
    return this.breaker(channel).state;
  }

  /** Why what the channel sells is not known for now; undefined while it is. */
  stalenessOf(channel: string): Staleness | undefined {
    return this.breaker(channel).staleness;
  }

  countsOf(channel: string): BreakerCounts {
    return this.breaker(channel).counts;
  }

  openingsOf(channel: string): number {
    return this.breaker(channel).openings;
  }

  changesOf(channel: string): Promise<BreakerChange[]> {
    this.breaker(channel);
    return this.records.changes(channel, TOLD_CHANGES);
  }

  /** Called on this host when a breaker opened or closed, whichever host did it. */
  on(listener: (channel: string, event: BreakerEvent) => void): void {
    this.listeners.push(listener);
  }

  /** Keeps the breaker open or closed, or lets it decide by itself again. Throws `UnknownChannelError`. */
  async hold(channel: string, as: HeldAs, reason: string, actor: string): Promise<BreakerState> {
    this.breaker(channel);
    this.log.warn(`${channel}: ${actor} sets the breaker to ${as}: ${reason}`);
    this.adopt(await this.records.hold(channel, as, reason, actor));
    return this.stateOf(channel);
  }

  /**
   * Asks the channel whether it is there again, when that is due and no other host is asking. Answers whether
   * this call did ask.
   */
  async probe(channel: string, check: () => Promise<CheckResult>): Promise<boolean> {
    const { probeInMs } = this.breaker(channel);
    if (probeInMs === undefined) return false;
    const lease = randomUUID();
    const claimed = await this.records.claimProbe(channel, lease, PROBE_LEASE_SECONDS);
    if (!claimed) {
      await this.read([channel]);
      return false;
    }
    this.adopt(claimed);
    const { verdict, reason } = await runProbe(channel, check, PROBE_TIMEOUT_MS);
    const { breaker } = this.configOf(channel);
    const settled =
      verdict === 'answers'
        ? this.records.close(channel, lease, reason)
        : verdict === 'away'
          ? this.records.reopen(channel, lease, reason, breaker)
          : this.records.postpone(channel, lease, breaker.openSeconds);
    const row = await settled;
    if (row) this.adopt(row);
    return true;
  }

  private async trip(channel: string, reason: string): Promise<void> {
    try {
      const row = await this.records.open(channel, reason, this.configOf(channel).breaker);
      if (row) this.adopt(row);
      else await this.read([channel]);
    } catch (error) {
      this.log.error(`${channel}: its breaker cannot be opened: ${(error as Error).message}`);
    }
  }

  private note(channel: string, noted: Promise<BreakerRow | undefined>, event?: BreakerEvent): void {
    noted
      .then((row) => {
        if (!row) return;
        this.adopt(row);
        if (event) this.emit(channel, event);
      })
      .catch((error: Error) => this.log.warn(`${channel}: ${error.message}`));
  }

  private async read(channels: readonly string[]): Promise<void> {
    for (const row of await this.records.read(channels)) this.adopt(row);
  }

  private adopt(row: BreakerRow): void {
    const breaker = this.breakers.get(row.channel);
    if (!breaker) return;
    const change = breaker.adopt(row);
    if (change === 'opened') this.log.warn(`${row.channel}: the breaker is open: ${row.reason}`);
    if (change === 'closed') this.log.log(`${row.channel}: the breaker is closed: ${row.reason}`);
    if (change) this.emit(row.channel, change);
    this.planProbe(row.channel, breaker.probeInMs);
  }

  private planProbe(channel: string, inMs: number | undefined): void {
    clearTimeout(this.timers.get(channel));
    if (inMs === undefined) return;
    this.timers.set(channel, setTimeout(() => this.emit(channel, 'probe-due'), inMs + 1).unref());
  }

  private emit(channel: string, event: BreakerEvent): void {
    for (const listener of this.listeners) listener(channel, event);
  }

  private breaker(channel: string): ChannelBreaker {
    const breaker = this.breakers.get(channel);
    if (!breaker) throw new UnknownChannelError(channel);
    return breaker;
  }

  private configOf(channel: string) {
    return this.config.channels.find(({ name }) => name === channel)!;
  }

  private names(): string[] {
    return [...this.breakers.keys()];
  }
}
