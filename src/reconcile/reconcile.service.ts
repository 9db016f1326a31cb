import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { PublishedQuantityService } from '../buffers/published-quantity.service';
import type { ShownInventory } from '../channel-api';
import { ChannelsService, type ReadyChannel } from '../channels/channels.service';
import { type Listing, ListingsService } from '../channels/listings.service';
import { UnmappedService } from '../channels/unmapped.service';
import { inTransaction } from '../database/pool';
import { JobsService } from '../jobs/jobs.service';
import { ReconcileBusyError, ReconcileUnservedError } from './reconcile.errors';

export interface ReconcileReport {
  id: string;
  channel: string;
  listings: number;
  equal: number;
  /** Dirty or being pushed: different, and about to be put right. */
  inFlight: number;
  drifted: number;
  /** Mapped listings that the channel does not show. */
  missing: number;
  /** SKUs that the channel shows and nobody mapped. */
  unmapped: number;
}

interface Finding {
  channelSku: string;
  /** '' where the channel keeps one number per listing. */
  channelLocation: string;
  cause: 'drift' | 'missing' | 'unmapped';
  shown: number | null;
  expected: number | null;
}

/** Compares what a channel shows with what it should, page by page; what truly drifted is recorded and pushed again. */
@Injectable()
export class ReconcileService {
  private readonly log = new Logger('reconcile');

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly unmappedSkus: UnmappedService,
    private readonly published: PublishedQuantityService,
    private readonly jobs: JobsService,
  ) {}

  /**
   * Runs once at a time over all hosts. Throws `UnknownChannelError`, `ReconcileUnservedError`,
   * `ReconcileBusyError`, or what the channel's read throws.
   */
  async reconcile(name: string): Promise<ReconcileReport> {
    const channel = this.channels.get(name);
    if (channel.state === 'failed') throw new ReconcileUnservedError(name, channel.error);
    return inTransaction(this.dataSource, async (client) => {
      // The lock lives as long as this transaction, so a killed host frees it.
      await client.query('SET LOCAL idle_in_transaction_session_timeout = 0');
      const lock = await client.query<{ free: boolean }>(
        'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 20)) AS free',
        [`reconcile ${name}`],
      );
      if (!lock.rows[0]!.free) throw new ReconcileBusyError(name);
      return this.run(channel);
    });
  }

  private async run(channel: ReadyChannel): Promise<ReconcileReport> {
    const report: ReconcileReport = {
      id: randomUUID(),
      channel: channel.name,
      listings: 0,
      equal: 0,
      inFlight: 0,
      drifted: 0,
      missing: 0,
      unmapped: 0,
    };
    const { id, channel: name } = report;
    await this.dataSource.query(
      'INSERT INTO reconcile_runs (id, channel, started_at) VALUES ($1, $2, clock_timestamp())',
      [id, name],
    );
    try {
      const seen = new Set<string>();
      for await (const page of channel.channel.readInventory({})) {
        // Ours only: a channel could go on naming SKUs for longer than there is memory.
        for (const { channelSku } of page.items)
          if (this.listings.find(name, channelSku)) seen.add(channelSku);
        await this.comparePage(report, channel, page.items);
      }
      await this.noteMissing(report, seen);
      await this.finish(report);
    } catch (error) {
      await this.finish(report, (error as Error).message);
      throw error;
    }
    const { equal, inFlight, drifted, missing, unmapped } = report;
    this.log.log(
      `${name}: ${equal} equal, ${inFlight} in flight, ${drifted} drifted, ${missing} missing, ${unmapped} unmapped`,
    );
    return report;
  }

  private async comparePage(
    report: ReconcileReport,
    { config, capabilities }: ReadyChannel,
    items: readonly ShownInventory[],
  ): Promise<void> {
    const { channel } = report;
    // What a channel keeps at a place that no location is mapped to is none of ours.
    const ours = items.filter(
      ({ channelLocation }) =>
        !capabilities.stockByLocation ||
        (channelLocation !== undefined && channelLocation in config.locations),
    );
    const found = ours.map((item) => ({ item, listing: this.listings.find(channel, item.channelSku) }));
    const mapped = found.flatMap(({ item, listing }) => (listing ? [{ item, listing }] : []));
    const unmapped = found
      .filter(({ listing }) => !listing)
      .map(({ item }) => findingOf(item, 'unmapped', null));
    report.unmapped += unmapped.length;
    const drifted = await this.driftedAmong(report, capabilities.stockByLocation, mapped);
    report.drifted += drifted.length;
    await this.listings.recordShown(channel, ours);
    await this.unmappedSkus.recordRead(
      channel,
      found.filter(({ listing }) => !listing).map(({ item }) => item),
    );
    await this.record(report, [...drifted.map(({ finding }) => finding), ...unmapped]);
    await this.listings.markDirty(
      drifted.map(({ listing }) => listing.id),
      { forced: true },
    );
    if (drifted.length > 0) this.jobs.wake('push-listings', channel);
  }

  private async driftedAmong(
    report: ReconcileReport,
    byLocation: boolean,
    mapped: readonly { item: ShownInventory; listing: Listing }[],
  ): Promise<{ finding: Finding; listing: Listing }[]> {
    const ids = mapped.map(({ listing }) => listing.id);
    // Dirty rows first: a listing that is dirtied after this look is expected at its newer value, or seen next time.
    const inFlight = await this.dirtyAmong(ids);
    const expected = await this.published.computeFor(
      mapped.map(({ item: { channelLocation }, listing }) => ({
        listing,
        ...(byLocation && { channelLocation }),
      })),
    );
    const stillInFlight = await this.dirtyAmong(ids);
    return mapped.flatMap(({ item, listing }, index) => {
      const { quantity } = expected[index]!;
      report.listings++;
      if (item.quantityUnits === quantity) report.equal++;
      else if (inFlight.has(listing.id) || stillInFlight.has(listing.id)) report.inFlight++;
      else return [{ listing, finding: findingOf(item, 'drift', quantity) }];
      return [];
    });
  }

  private async noteMissing(report: ReconcileReport, seen: ReadonlySet<string>): Promise<void> {
    const missing = this.listings
      .ofChannel(report.channel)
      .filter((listing) => !seen.has(listing.channelSku));
    report.listings += missing.length;
    report.missing = missing.length;
    const expected = await this.published.compute(missing);
    await this.record(
      report,
      missing.map(({ channelSku }, index) => ({
        channelSku,
        channelLocation: '',
        cause: 'missing',
        shown: null,
        expected: expected[index]!.quantity,
      })),
    );
  }

  private async dirtyAmong(ids: readonly number[]): Promise<Set<number>> {
    const rows: { listing_id: number }[] = await this.dataSource.query(
      'SELECT listing_id FROM dirty_listings WHERE listing_id = ANY($1::int[]) AND parked_at IS NULL',
      [ids],
    );
    return new Set(rows.map((row) => row.listing_id));
  }

  private async record({ id, channel }: ReconcileReport, findings: readonly Finding[]): Promise<void> {
    if (findings.length === 0) return;
    await this.dataSource.query(
      `INSERT INTO drifts (run_id, channel, channel_sku, channel_location, cause, shown_units, expected_units, found_at)
       SELECT $1, $2, f.sku, f.location, f.cause, f.shown, f.expected, clock_timestamp()
         FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[]) AS f (sku, location, cause, shown, expected)
       ON CONFLICT (run_id, channel_sku, channel_location) DO NOTHING`,
      [
        id,
        channel,
        findings.map((f) => f.channelSku),
        findings.map((f) => f.channelLocation),
        findings.map((f) => f.cause),
        findings.map((f) => f.shown),
        findings.map((f) => f.expected),
      ],
    );
  }

  private async finish(report: ReconcileReport, error: string | null = null): Promise<void> {
    const { id, listings, equal, inFlight, drifted, missing, unmapped } = report;
    await this.dataSource.query(
      `UPDATE reconcile_runs SET finished_at = clock_timestamp(), listings = $2, equal = $3, in_flight = $4, drifted = $5,
              missing = $6, unmapped = $7, error = $8 WHERE id = $1`,
      [id, listings, equal, inFlight, drifted, missing, unmapped, error],
    );
  }
}

function findingOf(
  { channelSku, channelLocation = '', quantityUnits }: ShownInventory,
  cause: 'drift' | 'unmapped',
  expected: number | null,
): Finding {
  return { channelSku, channelLocation, cause, shown: quantityUnits, expected };
}
