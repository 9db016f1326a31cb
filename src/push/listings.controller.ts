import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Needs } from '../access/scopes';
import { PublishedQuantityService } from '../buffers/published-quantity.service';
import { ChannelsService } from '../channels/channels.service';
import { type Listing, ListingsService } from '../channels/listings.service';
import { cursorNumber, LimitQuery, MAX_INTEGER_ID, pageOf, PageQuery } from '../http/page';
import { Problem } from '../http/problem';

interface PushState {
  id: number;
  pushed_units: number | null;
  pushed_at: Date | null;
  shown_units: number | null;
  shown_at: Date | null;
  dirty: boolean;
  parked: boolean;
  last_error: string | null;
}

@ApiTags('channels')
@ApiBearerAuth()
@Controller('v1')
export class ListingsController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly listings: ListingsService,
    private readonly channels: ChannelsService,
    private readonly published: PublishedQuantityService,
  ) {}

  @Get('channels/:channel/listings')
  @Needs('channels:read')
  @ApiOperation({ summary: 'What the channel should show, what it took last, and what it is known to show' })
  async list(@Param('channel') channel: string, @Query() { limit, cursor }: PageQuery) {
    this.channels.get(channel);
    const after = cursorNumber(cursor) ?? 0;
    const rest = this.listings
      .ofChannel(channel)
      .filter((listing) => listing.id > after)
      .sort((a, b) => a.id - b.id);
    const page = pageOf(
      rest.slice(0, limit + 1),
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
  @ApiOperation({ summary: 'The last pushes of a listing with their waterfalls, newest first' })
  async pushes(@Param('id') id: string, @Query() { limit }: LimitQuery) {
    const items = await this.dataSource.query(
      `SELECT id, quantity, previous, state, reason, trigger, waterfall, sent_at AS "sentAt", answered_at AS "answeredAt"
         FROM pushes WHERE listing_id = $1 ORDER BY sent_at DESC LIMIT $2`,
      [listingId(id), limit],
    );
    return { items };
  }

  private async statesOf(listings: readonly Listing[]): Promise<Map<number, PushState>> {
    const rows: PushState[] = await this.dataSource.query(
      `SELECT l.id, pushed_units, pushed_at, shown_units, shown_at, d.listing_id IS NOT NULL AS dirty,
              d.parked_at IS NOT NULL AS parked, d.last_error
         FROM listings l LEFT JOIN dirty_listings d ON d.listing_id = l.id WHERE l.id = ANY($1::int[])`,
      [listings.map((listing) => listing.id)],
    );
    return new Map(rows.map((row) => [row.id, row]));
  }
}

/** Throws `Problem` when it cannot be the id of a listing. */
function listingId(id: string): number {
  const found = /^\d{1,10}$/.test(id) ? Number(id) : Infinity;
  if (found > MAX_INTEGER_ID) throw new Problem('not-found', `no listing ${id}`);
  return found;
}

function viewOf({ id, channel, channelSku }: Listing, state: PushState | undefined) {
  return {
    id,
    channel,
    channelSku,
    pushed: state?.pushed_units ?? null,
    pushedAt: state?.pushed_at ?? null,
    shown: state?.shown_units ?? null,
    shownAt: state?.shown_at ?? null,
    dirty: state?.dirty ?? false,
    parked: state?.parked ?? false,
    lastError: state?.last_error ?? null,
  };
}
