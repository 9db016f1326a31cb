import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import { IsIn } from 'class-validator';
import type { DataSource } from 'typeorm';
import { Needs } from '../access/needs';
import { PublishedQuantityService } from '../buffers/published-quantity.service';
import { ChannelsService } from '../channels/channels.service';
import { type Listing, ListingsService } from '../channels/listings.service';
import { IsCode, IsText, MayBeAbsent } from '../http/fields';
import { isoTime, placeInTime } from '../database/sql-time';
import { cursorNumber, MAX_INTEGER_ID, pageOf, PageQuery, placeOfCursor } from '../http/page';
import { Problem } from '../http/problem';
import { CatalogService } from '../inventory/catalog.service';

const ORIGINS = ['file', 'api'];

interface Quantities {
  channelLocation: string;
  pushed: number | null;
  pushedAt: string | null;
  shown: number | null;
  shownAt: string | null;
}

interface PushState {
  id: number;
  quantities: Quantities[];
  dirty: boolean;
  parked: boolean;
  last_error: string | null;
  waits: { for: string; until: string } | null;
}

class ListingsQuery extends PageQuery {
  @ApiPropertyOptional({ description: "The channel's SKU" })
  @MayBeAbsent()
  @IsText(200)
  channelSku?: string;

  @ApiPropertyOptional({ description: 'One of our SKUs that the listing holds' })
  @MayBeAbsent()
  @IsCode()
  sku?: string;

  @ApiPropertyOptional({ enum: ORIGINS, description: "Kept in the channel's file, or made by API and CLI" })
  @MayBeAbsent()
  @IsIn(ORIGINS)
  origin?: string;
}

type ListingsFilter = Pick<ListingsQuery, 'channelSku' | 'sku' | 'origin'>;

@ApiTags('channels')
@ApiBearerAuth()
@Controller('v1')
export class ListingsController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly listings: ListingsService,
    private readonly channels: ChannelsService,
    private readonly published: PublishedQuantityService,
    private readonly catalog: CatalogService,
  ) {}

  @Get('channels/:channel/listings')
  @Needs('channels:read')
  @ApiOperation({ summary: 'What the channel should show, what it took last, and what it is known to show' })
  async list(@Param('channel') channel: string, @Query() { limit, cursor, ...filter }: ListingsQuery) {
    this.channels.get(channel);
    const listings = await this.find(channel, cursorNumber(cursor, MAX_INTEGER_ID) ?? 0, limit + 1, filter);
    const page = pageOf(
      listings,
      limit,
      (listing) => listing.id,
      (listing) => listing,
    );
    const waterfalls = await this.published.compute(page.items);
    const states = await this.statesOf(page.items);
    return {
      ...page,
      items: page.items.map((listing, index) => ({
        ...viewOf(listing, states.get(listing.id)),
        ...this.mappingOf(listing),
        quantity: waterfalls[index]!.quantity,
      })),
    };
  }

  @Get('listings/:id/waterfall')
  @Needs('channels:read')
  @ApiOperation({ summary: 'How the published quantity of a listing comes about, step by step' })
  async waterfall(@Param('id') id: string) {
    const listing = this.listings.get(listingId(id));
    if (!listing) throw new Problem('not-found', `no listing ${id}`);
    const [waterfall] = await this.published.compute([listing]);
    const states = await this.statesOf([listing]);
    return { ...viewOf(listing, states.get(listing.id)), ...waterfall };
  }

  @Get('listings/:id/pushes')
  @Needs('channels:read')
  @ApiOperation({ summary: 'Pushes of a listing with their waterfalls, newest first' })
  async pushes(@Param('id') id: string, @Query() { limit, cursor }: PageQuery) {
    const before = placeOfCursor(cursor);
    const rows: { place: string }[] = await this.dataSource.query(PUSHES, [
      ...[listingId(id), limit + 1, before.at, before.id],
    ]);
    return pageOf(
      rows,
      limit,
      ({ place }) => place,
      ({ place: _place, ...push }) => push,
    );
  }

  private async find(channel: string, afterId: number, limit: number, filter: ListingsFilter) {
    const { channelSku, sku, origin } = filter;
    if (sku === undefined) return this.listings.page(channel, afterId, limit, { channelSku, origin });
    if (this.catalog.knownSkuId(sku) === undefined) await this.catalog.learn([sku]);
    const skuId = this.catalog.knownSkuId(sku);
    return skuId === undefined
      ? []
      : this.listings.page(channel, afterId, limit, { channelSku, origin, skuId });
  }

  private mappingOf({ components, origin, cap, bufferUnits, bufferPercent }: Listing) {
    const mapped = components.map(({ skuId, units }) => ({ sku: this.catalog.skuCode(skuId), units }));
    return { components: mapped, origin, cap, bufferUnits, bufferPercent };
  }

  private async statesOf(listings: readonly Listing[]): Promise<Map<number, PushState>> {
    const rows: PushState[] = await this.dataSource.query(
      `SELECT l.id, d.listing_id IS NOT NULL AS dirty, d.parked_at IS NOT NULL AS parked, d.last_error,
              CASE WHEN d.waits_until > clock_timestamp()
                THEN jsonb_build_object('for', d.waits_for, 'until', ${isoTime('d.waits_until')}) END AS waits,
              (SELECT coalesce(jsonb_agg(jsonb_build_object('channelLocation', q.channel_location, 'pushed', q.pushed_units,
                        'pushedAt', ${isoTime('q.pushed_at')}, 'shown', q.shown_units, 'shownAt', ${isoTime('q.shown_at')}) ORDER BY q.channel_location), '[]')
                 FROM shown_quantities q WHERE q.listing_id = l.id) AS quantities
         FROM listings l LEFT JOIN dirty_listings d ON d.listing_id = l.id WHERE l.id = ANY($1::int[])`,
      [listings.map((listing) => listing.id)],
    );
    return new Map(rows.map((row) => [row.id, row]));
  }
}

const PUSHES = `
  SELECT id, nullif(channel_location, '') AS "channelLocation", quantity, previous, state, reason, receipt, trigger, waterfall,
         sent_at AS "sentAt", answered_at AS "answeredAt", confirmed_at AS "confirmedAt", ${placeInTime('sent_at', 'id')} AS place
    FROM pushes WHERE listing_id = $1 AND (sent_at, id) < ($3::timestamptz, $4::uuid) ORDER BY sent_at DESC, id DESC LIMIT $2`;

/** Throws `Problem` when it cannot be the id of a listing. */
function listingId(id: string): number {
  const found = /^\d{1,10}$/.test(id) ? Number(id) : Infinity;
  if (found > MAX_INTEGER_ID) throw new Problem('not-found', `no listing ${id}`);
  return found;
}

function viewOf({ id, channel, channelSku }: Listing, state: PushState | undefined) {
  const quantities = state?.quantities ?? [];
  const whole = quantities.find(({ channelLocation }) => channelLocation === '');
  const locations = quantities.filter(({ channelLocation }) => channelLocation !== '');
  return {
    id,
    channel,
    channelSku,
    pushed: whole?.pushed ?? null,
    pushedAt: whole?.pushedAt ?? null,
    shown: whole?.shown ?? null,
    shownAt: whole?.shownAt ?? null,
    ...(locations.length > 0 && { locations }),
    dirty: state?.dirty ?? false,
    parked: state?.parked ?? false,
    lastError: state?.last_error ?? null,
    // Why the quantity is not sent though it can be sold: the channel takes no change of the listing until then.
    waits: state?.waits ?? null,
  };
}
