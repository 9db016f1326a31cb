import { Body, Controller, Delete, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { raw, type Request, type Response } from 'express';
import { Needs } from '../access/needs';
import { IsCode, MAX_QUANTITY_UNITS, MayBeAbsent } from '../http/fields';
import { Problem } from '../http/problem';
import { invalidRequest } from '../http/validation';
import { CatalogService } from '../inventory/catalog.service';
import { ListingOfFileError, ListingsFileError } from './channels.errors';
import { ChannelsService } from './channels.service';
import { ListingImportService, rowsOfList } from './listing-import.service';
import { isChannelSku, type ListingRows } from './listing-rows';
import { readListingRows } from './listings-file';
import { ListingsService } from './listings.service';

const MAX_COMPONENTS = 100;
const MAX_UNITS = 1_000_000;
const MAX_CSV_BYTES = 32 * 1024 * 1024;
const CAP = { description: "Most units of it to be shown; absent: the channel's cap", nullable: true };
const BUFFER = { description: "Withheld from it; absent: the channel's", nullable: true };

class ComponentRequest {
  @ApiProperty({ example: 'MUG-RED' })
  @IsCode()
  sku: string;

  @ApiPropertyOptional({ description: 'Units of the SKU in one of the listing', default: 1 })
  @MayBeAbsent()
  @IsInt()
  @Min(1)
  @Max(MAX_UNITS)
  units: number = 1;
}

class ListingSettings {
  @ApiPropertyOptional(CAP)
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_QUANTITY_UNITS)
  cap?: number | null;

  @ApiPropertyOptional(BUFFER)
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_QUANTITY_UNITS)
  bufferUnits?: number | null;

  @ApiPropertyOptional(BUFFER)
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(100)
  bufferPercent?: number | null;
}

class ListingRequest extends ListingSettings {
  @ApiProperty({ type: [ComponentRequest], description: 'More than one makes a bundle' })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_COMPONENTS)
  // A list within the list would have its own items validated, and pass for a component.
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => ComponentRequest)
  components: ComponentRequest[];
}

/** For OpenAPI: the rows are checked one by one. */
class ListingRowRequest extends ListingSettings {
  @ApiProperty({ example: 'SHOP-MUG-6', description: 'Rows that share it are one bundle' })
  channelSku: string;

  @ApiProperty({ example: 'MUG-RED' })
  sku: string;

  @ApiPropertyOptional({ default: 1 })
  units?: number;
}

class ImportQuery {
  @ApiPropertyOptional({ description: 'Write the good rows although others are refused', default: false })
  @Flag()
  partial: boolean = false;

  @ApiPropertyOptional({ description: 'Write nothing, and tell what would be written', default: false })
  @Flag()
  dryRun: boolean = false;

  @ApiPropertyOptional({ description: 'Create the SKUs that nobody has', default: false })
  @Flag()
  createSkus: boolean = false;
}

/** `?name=true`, `?name=false`, or nothing. */
function Flag(): PropertyDecorator {
  return (target, property) => {
    Transform(({ value }) => (value === 'true' ? true : value === 'false' ? false : value))(target, property);
    IsBoolean({ message: 'must be true or false' })(target, property);
  };
}

@ApiTags('channels')
@ApiBearerAuth()
@Controller('v1/channels/:channel/listings')
export class MappingController {
  constructor(
    private readonly channels: ChannelsService,
    private readonly listings: ListingsService,
    private readonly importing: ListingImportService,
    private readonly catalog: CatalogService,
  ) {}

  @Post('import')
  @HttpCode(200)
  @Needs('channels:write')
  @ApiExtraModels(ListingRowRequest)
  @ApiConsumes('text/csv', 'application/json')
  @ApiBody({ schema: { type: 'array', items: { $ref: '#/components/schemas/ListingRowRequest' } } })
  @ApiOperation({
    summary: 'Import listings, each row answered on its own',
    description:
      'A JSON list of rows, or CSV with the columns channel_sku, sku, units, cap, buffer_units and buffer_percent. ' +
      'One wrong row keeps all from being written (422 `listings-refused`, with every row), unless `partial`. ' +
      'The same rows again change nothing.',
  })
  async import(
    @Param('channel') channel: string,
    @Query() { partial, dryRun, createSkus }: ImportQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    this.channels.get(channel);
    const rows = await this.rowsOf(request, response);
    const report = await this.importing.import(channel, rows, { partial, dryRun, createSkus });
    if (report.applied || dryRun) return { dryRun, ...report };
    const { refused } = report.counts;
    throw new Problem(
      'listings-refused',
      `${refused} of ${report.rows.length} rows are wrong; put them right, or send them with partial=true to leave them out`,
      { ...report },
    );
  }

  @Put(':channelSku')
  @Needs('channels:write')
  @ApiOperation({
    summary: 'Make one listing what is sent',
    description: "409 `listing-of-file` where the channel's configured file keeps it.",
  })
  async put(
    @Param('channel') channel: string,
    @Param('channelSku') channelSku: string,
    @Body() { components, ...settings }: ListingRequest,
  ) {
    this.channels.get(channel);
    if (!isChannelSku(channelSku))
      throw invalidRequest([{ field: 'channelSku', message: 'must be 1 to 200 printable characters' }]);
    const repeated = components.findIndex(
      ({ sku }, at) => components.findIndex((each) => each.sku === sku) < at,
    );
    if (repeated >= 0)
      throw invalidRequest([{ field: `components[${repeated}].sku`, message: 'is there twice' }]);
    const draft = { channelSku, components, ...withoutNulls(settings) };
    const [result] = (await this.listings.save(channel, [draft])).results;
    const { status, reason = '', note } = result!;
    if (status === 'of-file')
      throw new ListingOfFileError(channelSku, this.channels.get(channel).config.listings ?? '');
    if (status === 'unknown-sku') throw new Problem('unknown-sku', reason);
    if (status === 'repeated-sku') throw invalidRequest([{ field: 'components', message: reason }]);
    return { ...this.viewOf(channel, channelSku), status, ...(note !== undefined && { note }) };
  }

  @Delete(':channelSku')
  @HttpCode(204)
  @Needs('channels:write')
  @ApiOperation({ summary: 'Take a listing away; it is pushed no more, and its history stays' })
  async remove(@Param('channel') channel: string, @Param('channelSku') channelSku: string): Promise<void> {
    this.channels.get(channel);
    await this.listings.remove(channel, channelSku);
  }

  private async rowsOf(request: Request, response: Response): Promise<ListingRows> {
    const { body } = request as { body: unknown };
    if (Array.isArray(body) && body.length > 0) return rowsOfList(body);
    if (body !== undefined) throw invalidRequest([{ field: '', message: 'must be a list of rows, or CSV' }]);
    try {
      const rows = await readListingRows(await bodyOf(request, response));
      if (rows.lines.length > 0) return rows;
    } catch (error) {
      if (!(error instanceof ListingsFileError)) throw error;
      throw invalidRequest(error.faults.map((message) => ({ field: '', message })));
    }
    throw invalidRequest([{ field: '', message: 'holds no rows' }]);
  }

  private viewOf(channel: string, channelSku: string) {
    const listing = this.listings.find(channel, channelSku);
    if (!listing) return { channel, channelSku };
    const { id, components, origin, cap, bufferUnits, bufferPercent } = listing;
    return {
      id,
      channel,
      channelSku,
      components: components.map(({ skuId, units }) => ({ sku: this.catalog.skuCode(skuId), units })),
      origin,
      cap,
      bufferUnits,
      bufferPercent,
    };
  }
}

function withoutNulls({ cap, bufferUnits, bufferPercent }: ListingSettings) {
  return {
    cap: cap ?? undefined,
    bufferUnits: bufferUnits ?? undefined,
    bufferPercent: bufferPercent ?? undefined,
  };
}

const readCsv = raw({ type: () => true, limit: MAX_CSV_BYTES, inflate: false });

/** Larger than one of JSON may be, and read only now that the caller is known. */
function bodyOf(request: Request, response: Response): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    readCsv(request, response, (error?: unknown) => {
      if (error) reject(error as Error);
      else resolve(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
    });
  });
}
