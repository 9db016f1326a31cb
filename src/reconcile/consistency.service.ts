import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { PublishedQuantityService } from '../buffers/published-quantity.service';
import { BreakerService } from '../channels/breaker.service';
import { ChannelsService, type ReadyChannel } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { poolOf } from '../database/pool';

export interface FlowViolation {
  invariant: 'I6' | 'inbox' | 'pushes';
  message: string;
}

const LISTINGS_AT_ONCE = 1_000;
const NAMED = 100;
/** What moves is given time to come to rest before it is taken for stuck. */
const AT_REST = `interval '30 seconds'`;
const STUCK = `interval '15 minutes'`;

interface ListingRow {
  id: number;
  channelLocation: string;
  pushedUnits: number | null;
}

/** Checks that what came in was applied, and that what changed was pushed. Changes nothing. */
@Injectable()
export class ConsistencyService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly channels: ChannelsService,
    private readonly breakers: BreakerService,
    private readonly listings: ListingsService,
    private readonly published: PublishedQuantityService,
  ) {}

  async check(
    signal: AbortSignal,
  ): Promise<{ listings: number; count: number; violations: FlowViolation[] }> {
    const found: FlowViolation[] = [];
    let listings = 0;
    for (const [invariant, text] of STATEMENTS) {
      const rows: { message: string }[] = await this.dataSource.query(text);
      found.push(...rows.map(({ message }) => ({ invariant, message })));
    }
    for (const channel of this.channels.ready()) {
      if (!this.isAtWork(channel)) continue;
      listings += await this.checkPushed(channel, found, signal);
    }
    return { listings, count: found.length, violations: found.slice(0, NAMED) };
  }

  /** Only where each change is pushed at once: what waits for a person or a channel is no fault. */
  private isAtWork({ name, config }: ReadyChannel): boolean {
    return config.mode === 'live' && !this.breakers.isOpen(name) && !this.breakers.stalenessOf(name);
  }

  /** I6: whatever is not on its way was taken by the channel as it should be. */
  private async checkPushed(
    channel: ReadyChannel,
    found: FlowViolation[],
    signal: AbortSignal,
  ): Promise<number> {
    const { capabilities, config, name } = channel;
    const mapped = Object.keys(config.locations);
    const places = capabilities.stockByLocation && mapped.length > 0 ? mapped : [''];
    const atOnce = Math.max(1, Math.floor(LISTINGS_AT_ONCE / places.length));
    let checked = 0;
    for (let after = 0; ;) {
      signal.throwIfAborted();
      const { rows } = await poolOf(this.dataSource).query<ListingRow>(AT_REST_LISTINGS, [
        name,
        places,
        after,
        atOnce,
      ]);
      const suspects = await this.differing(rows);
      // A change since the first look has put them on their way.
      const still = await poolOf(this.dataSource).query<{ id: number }>(STILL_AT_REST, [
        suspects.map(({ id }) => id),
      ]);
      const ids = new Set(still.rows.map(({ id }) => id));
      for (const { id, message } of suspects) if (ids.has(id)) found.push({ invariant: 'I6', message });
      checked += rows.length;
      if (rows.length < atOnce * places.length) return checked;
      after = rows.at(-1)!.id;
    }
  }

  private async differing(rows: readonly ListingRow[]): Promise<{ id: number; message: string }[]> {
    const known = rows.flatMap((row) => {
      const listing = this.listings.get(row.id);
      return listing ? [{ row, listing }] : [];
    });
    const expected = await this.published.computeFor(
      known.map(({ row: { channelLocation }, listing }) => ({
        listing,
        ...(channelLocation && { channelLocation }),
      })),
    );
    return known.flatMap(({ row, listing }, index) => {
      const { quantity } = expected[index]!;
      if (quantity === row.pushedUnits) return [];
      const place = row.channelLocation && ` at ${row.channelLocation}`;
      const message = `${listing.channel} took ${row.pushedUnits ?? 'nothing'} for ${listing.channelSku}${place}, ${quantity} is right, and no push is on its way`;
      return [{ id: row.id, message }];
    });
  }
}

/** Each listing with all of its places. */
const AT_REST_LISTINGS = `
  SELECT l.id, x.location AS "channelLocation", q.pushed_units AS "pushedUnits"
    FROM (SELECT id FROM listings WHERE channel = $1 AND retired_at IS NULL AND id > $3 ORDER BY id
           LIMIT $4) l
    CROSS JOIN unnest($2::text[]) AS x (location)
    LEFT JOIN shown_quantities q ON q.listing_id = l.id AND q.channel_location = x.location
   ORDER BY l.id`;

/** A listing whose push was refused and then dismissed by a person is left as it is. */
const STILL_AT_REST = `
  SELECT l.id FROM unnest($1::int[]) AS l (id)
   WHERE NOT EXISTS (SELECT FROM dirty_listings d WHERE d.listing_id = l.id)
     AND NOT EXISTS (SELECT FROM listing_components c JOIN levels v ON v.sku_id = c.sku_id
                      WHERE c.listing_id = l.id AND v.updated_at > clock_timestamp() - ${AT_REST})
     AND coalesce((SELECT p.state NOT IN ('rejected', 'sent') AND coalesce(p.answered_at, p.sent_at) < clock_timestamp() - ${AT_REST}
                     FROM pushes p WHERE p.listing_id = l.id ORDER BY p.sent_at DESC LIMIT 1), true)`;

const STATEMENTS: readonly [FlowViolation['invariant'], string][] = [
  [
    'inbox',
    `SELECT channel || ': webhook ' || id || ' waits since ' || received_at || ' and nobody applies it' AS message
       FROM inbox WHERE state = 'received' AND received_at < clock_timestamp() - ${STUCK}
        AND not_before < clock_timestamp() - ${STUCK} ORDER BY id LIMIT ${NAMED}`,
  ],
  [
    'inbox',
    `SELECT o.channel || ': order ' || o.order_id || ' is known as of revision ' || o.revision || ', the ledger has '
            || coalesce('revision ' || r.revision, 'none of it') AS message
       FROM orders o LEFT JOIN reservations r ON r.channel = o.channel AND r.order_id = o.order_id
      WHERE o.updated_at < clock_timestamp() - ${STUCK} AND r.revision < o.revision
      ORDER BY o.channel, o.order_id LIMIT ${NAMED}`,
  ],
  [
    'pushes',
    `SELECT p.channel || ': a push of listing ' || p.listing_id || ' was sent at ' || p.sent_at
            || ', never answered, and the listing is not on its way' AS message
       FROM pushes p WHERE p.state = 'sent' AND p.sent_at < clock_timestamp() - ${STUCK}
        AND NOT EXISTS (SELECT FROM dirty_listings d WHERE d.listing_id = p.listing_id) ORDER BY p.sent_at LIMIT ${NAMED}`,
  ],
];
