import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { Needs } from '../access/needs';
import { PublishedQuantityService } from '../buffers/published-quantity.service';
import { ChannelsService } from '../channels/channels.service';
import { ListingsService } from '../channels/listings.service';
import { IsCode, IsText, MayBeAbsent } from '../http/fields';
import { Problem } from '../http/problem';
import { invalidRequest } from '../http/validation';
import { AvailabilityService } from '../inventory/availability.service';
import { CatalogService } from '../inventory/catalog.service';

const MAX_SKUS = 200;

class AvailabilityQuery {
  @ApiPropertyOptional({
    description: "SKU codes, separated by commas; with `channel`, the channel's own SKUs",
  })
  @IsText(20_000)
  sku: string;

  @ApiPropertyOptional({ description: 'What this channel should show, after its buffers and cap' })
  @MayBeAbsent()
  @IsCode()
  channel?: string;
}

@ApiTags('stock')
@ApiBearerAuth()
@Controller('v1/availability')
export class AvailabilityController {
  constructor(
    private readonly availability: AvailabilityService,
    private readonly catalog: CatalogService,
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly published: PublishedQuantityService,
  ) {}

  @Get()
  @Needs('stock:read')
  @ApiOperation({
    summary: 'What can be sold now, from memory',
    description: 'An unknown SKU is answered with `known: false` and 0.',
  })
  find(@Query() { sku, channel }: AvailabilityQuery) {
    const codes = sku.split(',');
    if (codes.length > MAX_SKUS)
      throw invalidRequest([{ field: 'sku', message: `must name at most ${MAX_SKUS} SKUs` }]);
    if (channel === undefined) return { items: codes.map((code) => this.available(code)) };
    if (!this.channels.all().some((each) => each.name === channel))
      throw new Problem('not-found', `no channel ${channel}`);
    return { channel, items: codes.map((code) => this.sellable(channel, code)) };
  }

  private available(code: string) {
    const id = this.catalog.knownSkuId(code);
    if (id === undefined) return { sku: code, known: false, available: 0, locations: [] };
    let available = 0;
    const locations: { location: string; available: number }[] = [];
    for (const [locationId, level] of this.availability.levelsOf(id)) {
      available += level.available;
      locations.push({ location: this.catalog.locationCode(locationId), available: level.available });
    }
    return { sku: code, known: true, available, locations };
  }

  private sellable(channel: string, channelSku: string) {
    const listing = this.listings.find(channel, channelSku);
    if (!listing) return { sku: channelSku, known: false, available: 0 };
    return { sku: channelSku, known: true, available: this.published.computeFromMemory(listing).quantity };
  }
}
