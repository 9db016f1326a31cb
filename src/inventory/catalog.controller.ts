import { applyDecorators, Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsInt, Max, Min, ValidateIf } from 'class-validator';
import { Needs } from '../access/needs';
import { IsCode, IsText, MAX_QUANTITY_UNITS, MayBeAbsent } from '../http/fields';
import { cursorNumber, MAX_INTEGER_ID, pageOf, PageQuery } from '../http/page';
import { Problem } from '../http/problem';
import { invalidRequest, validateAs } from '../http/validation';
import { CatalogService } from './catalog.service';
import { UnknownSkuError } from './inventory.errors';
import type { LocationEntity } from './location.entity';
import type { SkuEntity } from './sku.entity';

const MAX_SKUS_AT_ONCE = 5_000;

const REORDER_POINT =
  'With so many units available, or fewer, an alert says to order it again; null for never';

/** Whole units, 0 or more, or null. */
function IsReorderPoint(): PropertyDecorator {
  return applyDecorators(
    ValidateIf((_object, value) => value !== null && value !== undefined),
    IsInt(),
    Min(0),
    Max(MAX_QUANTITY_UNITS),
  );
}

export class SkuRequest {
  @ApiProperty({ example: 'MUG-RED' })
  @IsCode()
  sku: string;

  @ApiPropertyOptional()
  @MayBeAbsent()
  @IsText(500)
  name?: string;

  @ApiPropertyOptional({ example: '5012345678900' })
  @MayBeAbsent()
  @IsCode()
  barcode?: string;

  @ApiPropertyOptional({ default: 'each' })
  @MayBeAbsent()
  @IsText(20)
  unitOfMeasure?: string;

  @ApiPropertyOptional({ type: [String] })
  @MayBeAbsent()
  @IsArray()
  @ArrayMaxSize(50)
  @IsCode({ each: true })
  tags?: string[];

  @ApiPropertyOptional({ description: REORDER_POINT, nullable: true, type: Number })
  @MayBeAbsent()
  @IsReorderPoint()
  reorderPoint?: number | null;
}

class SkuChange {
  @ApiPropertyOptional({ description: 'The new code', example: 'MUG-CRIMSON' })
  @MayBeAbsent()
  @IsCode()
  sku?: string;

  @ApiPropertyOptional({ description: REORDER_POINT, nullable: true, type: Number })
  @MayBeAbsent()
  @IsReorderPoint()
  reorderPoint?: number | null;
}

class LocationRequest {
  @ApiProperty({ example: 'main' })
  @IsCode()
  code: string;

  @ApiPropertyOptional()
  @MayBeAbsent()
  @IsText(200)
  name?: string;

  @ApiPropertyOptional({ description: 'Stock is taken from the smallest first', default: 100 })
  @MayBeAbsent()
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  priority?: number;
}

class SkuQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'Codes, separated by commas' })
  @MayBeAbsent()
  @IsText(10_000)
  sku?: string;
}

@ApiTags('catalog')
@ApiBearerAuth()
@Controller('v1')
export class CatalogController {
  constructor(private readonly catalog: CatalogService) {}

  @Post('skus')
  @Needs('stock:write')
  @ApiBody({
    schema: {
      oneOf: [
        { $ref: '#/components/schemas/SkuRequest' },
        { type: 'array', items: { $ref: '#/components/schemas/SkuRequest' } },
      ],
    },
  })
  @ApiOperation({ summary: 'Create or update one SKU, or up to 5,000 at once (all or none)' })
  async upsertSkus(@Body() body: unknown) {
    if (!Array.isArray(body)) return skuView((await this.catalog.upsertSkus([validSku(body, '')]))[0]!);
    if (body.length === 0 || body.length > MAX_SKUS_AT_ONCE) {
      throw invalidRequest([{ field: '', message: `must hold 1 to ${MAX_SKUS_AT_ONCE} SKUs` }]);
    }
    const results = await this.catalog.upsertSkus(body.map((item, index) => validSku(item, `[${index}]`)));
    return { items: results.map(skuView) };
  }

  @Get('skus')
  @Needs('stock:read')
  @ApiOperation({ summary: 'List SKUs, oldest first' })
  async listSkus(@Query() { limit, cursor, sku }: SkuQuery) {
    const rows = await this.catalog.skus(cursorNumber(cursor, MAX_INTEGER_ID) ?? 0, limit + 1, {
      codes: sku?.split(','),
    });
    return pageOf(
      rows,
      limit,
      (row) => row.id,
      (row) => skuFields(row),
    );
  }

  @Get('tags')
  @Needs('stock:read')
  @ApiOperation({ summary: 'Tags in use, with how many SKUs carry each' })
  async listTags() {
    return { items: await this.catalog.tags() };
  }

  @Patch('skus/:sku')
  @Needs('stock:write')
  @ApiOperation({
    summary: 'Give a SKU another code, or another reorder point',
    description:
      'History, stock, orders and listings stay with it. The old code goes on meaning it and can be given to no other SKU.',
  })
  async changeSku(@Param('sku') code: string, @Body() { sku, reorderPoint }: SkuChange) {
    if (sku === undefined && reorderPoint === undefined)
      throw invalidRequest([{ field: '', message: 'must hold sku or reorderPoint' }]);
    try {
      const renamed = sku === undefined ? undefined : await this.catalog.rename(code, sku);
      if (reorderPoint === undefined) return skuFields(renamed!);
      return skuFields(await this.catalog.setReorderPoint(code, reorderPoint));
    } catch (error) {
      if (error instanceof UnknownSkuError) throw new Problem('not-found', error.message);
      throw error;
    }
  }

  @Post('locations')
  @Needs('stock:write')
  @ApiOperation({ summary: 'Create or update a location' })
  async upsertLocation(@Body() body: LocationRequest) {
    return locationFields((await this.catalog.upsertLocations([body]))[0]!);
  }

  @Get('locations')
  @Needs('stock:read')
  @ApiOperation({ summary: 'List locations in the order that stock is taken from them' })
  listLocations() {
    return { items: this.catalog.allLocations().map(locationFields) };
  }
}

function validSku(item: unknown, at: string): SkuRequest {
  const checked = validateAs(SkuRequest, item);
  if ('value' in checked) return checked.value;
  throw invalidRequest(
    checked.faults.map(({ field, message }) => ({ field: [at, field].filter(Boolean).join('.'), message })),
  );
}

function skuFields(entity: SkuEntity) {
  const { code: sku, name, barcode, unitOfMeasure, tags, reorderPoint, createdAt, updatedAt } = entity;
  return { sku, name, barcode, unitOfMeasure, tags, reorderPoint, createdAt, updatedAt };
}

function skuView({ sku, created }: { sku: SkuEntity; created: boolean }) {
  return { ...skuFields(sku), created };
}

function locationFields({ code, name, priority, createdAt }: LocationEntity) {
  return { code, name, priority, createdAt };
}
