import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Caller } from '../access/api-keys.service';
import { Needs } from '../access/needs';
import { callersKey, freshKey, IdempotencyKey } from '../http/idempotency-key';
import { Problem, type ProblemBody } from '../http/problem';
import { problemOf } from '../http/problem.filter';
import { invalidRequest, validateAs } from '../http/validation';
import { CatalogService } from './catalog.service';
import type { MoveView } from './commands';
import { EventRequest, faultsByType } from './event-request';
import { LedgerService } from './ledger.service';
import { problemOfRefusal } from './refusal-problem';

const MAX_EVENTS_AT_ONCE = 1_000;

@ApiTags('ledger')
@ApiBearerAuth()
@Controller('v1/events')
export class EventsController {
  constructor(
    private readonly ledger: LedgerService,
    private readonly catalog: CatalogService,
  ) {}

  @Post()
  @HttpCode(201)
  @Needs('stock:write')
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  @ApiBody({
    schema: {
      oneOf: [
        { $ref: '#/components/schemas/EventRequest' },
        { type: 'array', items: { $ref: '#/components/schemas/EventRequest' } },
      ],
    },
  })
  @ApiOperation({
    summary: 'Post one stock event, or up to 1,000 of which each is answered on its own',
    description:
      'One event: 201, or a problem. An array: 200 with `items` in the same order, each `{status, event}` or `{status, problem}`.',
  })
  async post(
    @Body() body: unknown,
    @IdempotencyKey() key: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const actor = `api:${(request.caller as Caller).name}`;
    if (!Array.isArray(body)) return this.postOne(body, key, actor);
    if (body.length === 0 || body.length > MAX_EVENTS_AT_ONCE) {
      throw invalidRequest([{ field: '', message: `must hold 1 to ${MAX_EVENTS_AT_ONCE} events` }]);
    }
    response.status(200);
    const keyed = request.headers['idempotency-key'] !== undefined;
    return {
      items: await Promise.all(
        body.map((item, index) => this.answer(item, keyed ? `${key}#${index}` : freshKey(), actor)),
      ),
    };
  }

  private async answer(
    item: unknown,
    key: string,
    actor: string,
  ): Promise<{ status: number; event?: unknown; problem?: ProblemBody }> {
    try {
      return { status: 201, event: await this.postOne(item, key, actor) };
    } catch (error) {
      const problem = problemOf(error);
      return { status: problem.status, problem };
    }
  }

  /** Throws `Problem`. */
  private async postOne(item: unknown, key: string, actor: string) {
    const event = validEvent(item);
    const { type, quantity: quantityUnits, from, to, state, reason, reference, occurredAt } = event;
    const skuId = await this.catalog.skuId(event.sku, 'sku');
    const locationId = event.location
      ? await this.catalog.locationId(event.location, 'location')
      : this.catalog.defaultLocationId();
    const toLocationId = event.toLocation
      ? await this.catalog.locationId(event.toLocation, 'toLocation')
      : undefined;
    if (toLocationId === locationId)
      throw invalidRequest([{ field: 'toLocation', message: 'must differ from location' }]);
    const { outcome, duplicate } = await this.ledger.post({
      kind: 'move',
      type,
      skuId,
      locationId,
      quantityUnits,
      toLocationId,
      from,
      to,
      state,
      reason,
      reference,
      occurredAt: occurredAt && new Date(occurredAt).toISOString(),
      key: event.idempotencyKey ? callersKey(event.idempotencyKey) : key,
      actor,
    });
    if ('refused' in outcome) throw problemOfRefusal(outcome.refused, this.catalog);
    if (!('move' in outcome))
      throw new Problem('internal-error', 'an event was answered with something else');
    return { ...this.view(outcome.move), duplicate };
  }

  private view({ type, skuId, quantity, recordedAt, legs }: MoveView) {
    return {
      type,
      sku: this.catalog.skuCode(skuId),
      quantity,
      recordedAt,
      levels: legs.map(({ locationId, version, available }) => ({
        location: this.catalog.locationCode(locationId),
        version,
        available,
      })),
    };
  }
}

function validEvent(item: unknown): EventRequest {
  const checked = validateAs(EventRequest, item);
  if ('faults' in checked) throw invalidRequest(checked.faults);
  const faults = faultsByType(checked.value);
  if (faults.length > 0) throw invalidRequest(faults);
  return checked.value;
}
