import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BreakerService } from '../channels/breaker.service';
import type { BreakerState, Staleness } from '../channels/channel-breaker';
import { ChannelsService } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { isoTime } from '../database/sql-time';

export interface ChannelStatus {
  name: string;
  plugin: string;
  /** Of a channel that is served: the plugin's version, and whether it is pinned in onhand.plugins.json. */
  pluginVersion?: string;
  pinned?: boolean;
  mode: string;
  state: 'ready' | 'failed';
  /** Its account’s owner consents in a browser: see /v1/channels/{channel}/authorization. */
  consents?: boolean;
  /** Why it is not served. */
  error?: string;
  /** Set while a person has stopped pushing to it. */
  paused?: { reason: string; by: string; since: string };
  /** `open` and `half-open`: it does not answer, and only probes are sent. */
  breaker: BreakerState;
  /** Why what it sells is not known for now; null while it is. */
  stale: Staleness | null;
  listings: number;
  /** Listings whose quantity the channel has not taken yet. */
  dirty: number;
  /** Of these, tried too often; they wait for a person. */
  parkedListings: number;
  /** Seconds that the oldest of them has waited. */
  lagSeconds: number;
  /** What the last push of any of them that failed met with; null when none has. */
  lastError: string | null;
  /** Webhooks not applied yet, and those that wait for a person. */
  inbox: { received: number; parked: number };
  /** Order lines whose SKU nobody mapped. */
  parkedLines: number;
  openShortfalls: number;
  /** How far its orders have been read; null before the first poll, and where the plugin reads none. */
  orderPolls: {
    coveredAt: string | null;
    orders: number;
    failingSince: string | null;
    error: string | null;
  } | null;
  /** Listed orders that wait for a person. */
  parkedOrders: number;
  /** Whether it knows where to send its webhooks; null where it was never told. */
  subscription: { url: string; subscribedAt: string | null; error: string | null } | null;
}

/** What a row of `COUNTS` has beside counts. */
interface Told extends Pick<ChannelStatus, 'orderPolls' | 'subscription'> {
  channel: string;
  paused: ChannelStatus['paused'] | null;
  last_error: string | null;
}

/** What waits on each channel, read from the tables of the rooms it passes through. */
@Injectable()
export class ChannelStatusService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly breakers: BreakerService,
  ) {}

  async all(): Promise<ChannelStatus[]> {
    const rows: (Record<string, number> & Told)[] = await this.dataSource.query(COUNTS, [
      this.channels.all().map((channel) => channel.name),
    ]);
    const counts = new Map(rows.map((row) => [row.channel, row]));
    return this.channels.all().map((channel) => {
      const count = counts.get(channel.name)!;
      const { name, config, state } = channel;
      return {
        name,
        plugin: config.plugin,
        mode: config.mode,
        state,
        ...(channel.state === 'failed'
          ? { error: channel.error }
          : {
              pluginVersion: channel.pluginVersion,
              pinned: channel.isPinned,
              consents: channel.channel.authorization !== undefined,
            }),
        ...(count.paused && { paused: count.paused }),
        breaker: this.breakers.stateOf(name),
        stale: this.breakers.stalenessOf(name) ?? null,
        listings: this.listings.countOf(name),
        dirty: count.dirty!,
        parkedListings: count.parked_listings!,
        lagSeconds: count.lag!,
        lastError: count.last_error,
        inbox: { received: count.received!, parked: count.parked! },
        parkedLines: count.parked_lines!,
        openShortfalls: count.shortfalls!,
        orderPolls: count.orderPolls,
        parkedOrders: count.parked_orders!,
        subscription: count.subscription,
      };
    });
  }
}

/** Counts only what waits, by partial indexes: it is asked for every few seconds, and what is over grows for ever. */
const COUNTS = `
  SELECT c.channel, d.*,
         (SELECT count(*) FROM inbox i WHERE i.channel = c.channel AND i.state = 'received') AS received,
         (SELECT count(*) FROM inbox i WHERE i.channel = c.channel AND i.state = 'parked') AS parked,
         (SELECT jsonb_build_object('reason', reason, 'by', paused_by, 'since', ${isoTime('paused_at')})
            FROM channel_pauses p WHERE p.channel = c.channel) AS paused,
         (SELECT count(*) FROM parked_lines p WHERE p.channel = c.channel) AS parked_lines,
         (SELECT count(*) FROM shortfalls s WHERE s.channel = c.channel AND s.state = 'open') AS shortfalls,
         (SELECT count(*) FROM parked_orders p WHERE p.channel = c.channel AND p.state IN ('parked', 'retrying')) AS parked_orders,
         (SELECT jsonb_build_object('coveredAt', ${isoTime('covered_at')}, 'orders', orders, 'failingSince', ${isoTime('failing_since')}, 'error', error)
            FROM order_polls p WHERE p.channel = c.channel) AS "orderPolls",
         (SELECT jsonb_build_object('url', url, 'subscribedAt', ${isoTime('subscribed_at')}, 'error', error)
            FROM channel_subscriptions p WHERE p.channel = c.channel) AS subscription
    FROM unnest($1::text[]) AS c (channel),
    LATERAL (SELECT count(*) FILTER (WHERE parked_at IS NULL) AS dirty, count(*) FILTER (WHERE parked_at IS NOT NULL) AS parked_listings,
                    coalesce(extract(epoch FROM clock_timestamp() - min(since)), 0)::float8 AS lag,
                    (array_agg(last_error ORDER BY not_before DESC) FILTER (WHERE last_error IS NOT NULL))[1] AS last_error
               FROM dirty_listings d WHERE d.channel = c.channel) d`;
