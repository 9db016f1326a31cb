import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { isUUID } from 'class-validator';
import type { Request } from 'express';
import type { Caller } from '../access/api-keys.service';
import { Needs } from '../access/needs';
import { Config } from '../config/config';
import { IdempotencyKey } from '../http/idempotency-key';
import { cursorNumber, pageOf } from '../http/page';
import { Problem } from '../http/problem';
import { invalidRequest } from '../http/validation';
import { CatalogService } from './catalog.service';
import type { ReservationView, ReserveLine } from './commands';
import type { Posted } from './ledger.service';
import { problemOfRefusal } from './refusal-problem';
import {
  ReservationChangeBody,
  ReservationsQuery,
  type ReservationLineRequest,
  ReservationRequestBody,
} from './reservation-request';
import { ReservationsService } from './reservations.service';

@ApiTags('reservations')
@ApiBearerAuth()
@Controller('v1/reservations')
export class ReservationsController {
  constructor(
    private readonly reservations: ReservationsService,
    private readonly catalog: CatalogService,
    private readonly config: Config,
  ) {}

  @Post()
  @Needs('reservations:write')
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiOperation({ summary: 'Reserve units: every line or none, or with `partial` what there is' })
  async create(@Body() body: ReservationRequestBody, @IdempotencyKey() key: string, @Req() request: Request) {
    const { reference, ttlSeconds, partial = false } = body;
    const { maxTtlSeconds } = this.config.reservations;
    if (ttlSeconds && ttlSeconds > maxTtlSeconds) {
      throw invalidRequest([{ field: 'ttlSeconds', message: `must not be greater than ${maxTtlSeconds}` }]);
    }
    const lines = await this.linesOf(body.lines);
    return this.answer(
      await this.reservations.create({ reference, lines, ttlSeconds, partial }, key, actorOf(request)),
    );
  }

  @Get()
  @Needs('stock:read')
  @ApiOperation({
    summary: 'Reservations of one SKU, newest first, with its lines in each',
    description:
      'By default those that still hold units: together they make what its levels show as reserved.',
  })
  async list(@Query() { sku, state, cursor, limit }: ReservationsQuery) {
    const skuId = await this.catalog.skuId(sku, 'sku');
    const before = cursorNumber(cursor);
    return pageOf(
      await this.reservations.ofSku(skuId, { state, before, limit: limit + 1 }),
      limit,
      (row) => row.seq,
      ({ seq: _seq, lines, ...row }) => ({
        ...row,
        lines: lines.map(({ locationId, ...line }) => ({
          ...line,
          location: locationId === 0 ? null : this.catalog.locationCode(locationId),
        })),
      }),
    );
  }

  @Get(':id')
  @Needs('stock:read')
  @ApiOperation({ summary: 'A reservation as it stands' })
  async find(@Param('id') id: string) {
    const view = isUUID(id) ? await this.reservations.find(id) : undefined;
    if (!view) throw new Problem('not-found', 'no such reservation');
    await this.learnCodes(view);
    return this.view(view);
  }

  @Post(':id/confirm')
  @HttpCode(200)
  @Needs('reservations:write')
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiOperation({ summary: 'Keep a hold: it no longer expires' })
  confirm(@Param('id') id: string, @IdempotencyKey() key: string, @Req() request: Request) {
    return this.change('confirm', id, {}, key, request);
  }

  @Post(':id/release')
  @HttpCode(200)
  @Needs('reservations:write')
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiOperation({ summary: 'Give back all open units, or those of `lines`' })
  release(
    @Param('id') id: string,
    @Body() body: ReservationChangeBody,
    @IdempotencyKey() key: string,
    @Req() request: Request,
  ) {
    return this.change('release', id, body, key, request);
  }

  @Post(':id/fulfil')
  @HttpCode(200)
  @Needs('reservations:write')
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiOperation({ summary: 'Ship all open units, or those of `lines`' })
  fulfil(
    @Param('id') id: string,
    @Body() body: ReservationChangeBody,
    @IdempotencyKey() key: string,
    @Req() request: Request,
  ) {
    return this.change('fulfil', id, body, key, request);
  }

  private async change(
    kind: 'confirm' | 'release' | 'fulfil',
    id: string,
    body: ReservationChangeBody,
    key: string,
    request: Request,
  ) {
    if (!isUUID(id)) throw new Problem('not-found', 'no such reservation');
    const lines = body.lines && (await this.linesOf(body.lines));
    const occurredAt = body.occurredAt && new Date(body.occurredAt).toISOString();
    return this.answer(
      await this.reservations.change(kind, id.toLowerCase(), key, actorOf(request), lines, occurredAt),
    );
  }

  private async linesOf(lines: readonly ReservationLineRequest[]): Promise<ReserveLine[]> {
    const found: ReserveLine[] = [];
    for (const [index, { sku, quantity: quantityUnits, location }] of lines.entries()) {
      const skuId = this.catalog.knownSkuId(sku) ?? (await this.catalog.skuId(sku, `lines[${index}].sku`));
      const locationId =
        location === undefined
          ? undefined
          : await this.catalog.locationId(location, `lines[${index}].location`);
      found.push({ skuId, quantityUnits, locationId });
    }
    return found;
  }

  private answer({ outcome }: Posted) {
    if ('refused' in outcome) throw problemOfRefusal(outcome.refused, this.catalog);
    if (!('reservation' in outcome))
      throw new Problem('internal-error', 'a reservation was answered with something else');
    return this.view(outcome.reservation);
  }

  private async learnCodes(view: ReservationView): Promise<void> {
    const unknown = view.lines.map((line) => line.skuId).filter((id) => !this.catalog.knowsSku(id));
    if (unknown.length > 0) await this.catalog.learn([], unknown);
  }

  private view({ id, reference, state, expiresAt, lines }: ReservationView) {
    return {
      id,
      reference,
      state,
      expiresAt: expiresAt ?? null,
      lines: lines.map(({ line, skuId, locationId, ...counts }) => ({
        line,
        sku: this.catalog.skuCode(skuId),
        location: locationId === undefined ? null : this.catalog.locationCode(locationId),
        ...counts,
      })),
    };
  }
}

function actorOf(request: Request): string {
  return `api:${(request.caller as Caller).name}`;
}
