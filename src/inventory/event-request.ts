import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { IsCode, IsPastTime, IsText, MAX_QUANTITY_UNITS, MayBeAbsent } from '../http/fields';
import type { FieldFault } from '../http/problem';
import { ADJUSTABLE_STATES, choicesOf } from './decide';
import { type MoveCommand, POSTABLE_TYPES } from './commands';
import type { CountedState, StockState } from './level';

export class EventRequest {
  @ApiProperty({ enum: POSTABLE_TYPES })
  @IsIn(POSTABLE_TYPES, {
    message: `must be one of ${POSTABLE_TYPES.join(', ')}; for RESERVE, RELEASE and FULFILL use /v1/reservations`,
  })
  type: MoveCommand['type'];

  @ApiProperty({ example: 'MUG-RED' })
  @IsCode()
  sku: string;

  @ApiPropertyOptional({ description: 'Absent: the first location in priority order' })
  @MayBeAbsent()
  @IsCode()
  location?: string;

  @ApiProperty({ description: 'Units, 1 or more; for ADJUST the signed difference', example: 10 })
  @IsInt()
  @Min(-MAX_QUANTITY_UNITS)
  @Max(MAX_QUANTITY_UNITS)
  quantity: number;

  @ApiPropertyOptional({ description: 'TRANSFER: where the units go' })
  @MayBeAbsent()
  @IsCode()
  toLocation?: string;

  @ApiPropertyOptional({
    description: 'RESTOCK: `on_order` takes the units from a purchase order expected before',
  })
  @MayBeAbsent()
  @IsCode()
  from?: StockState;

  @ApiPropertyOptional({
    description: 'RETURN: `quarantined` (default) or `available`. INSPECT: `available` or `damaged`',
  })
  @MayBeAbsent()
  @IsCode()
  to?: StockState;

  @ApiPropertyOptional({
    enum: ADJUSTABLE_STATES,
    description: 'ADJUST: the state that was counted; default available',
  })
  @MayBeAbsent()
  @IsIn(ADJUSTABLE_STATES)
  state?: CountedState;

  @ApiPropertyOptional({ description: 'Needed for ADJUST' })
  @MayBeAbsent()
  @IsText(500)
  reason?: string;

  @ApiPropertyOptional({ description: 'When it happened; default now', example: '2010-12-01T08:26:00Z' })
  @MayBeAbsent()
  @IsPastTime()
  occurredAt?: string;

  @ApiPropertyOptional({ description: "The caller's own number for it" })
  @MayBeAbsent()
  @IsText(200)
  reference?: string;

  @ApiPropertyOptional({ description: 'Same key and content: same answer, nothing new' })
  @MayBeAbsent()
  @IsCode()
  idempotencyKey?: string;
}

/** What class-validator cannot see: which fields belong to which type. */
export function faultsByType(event: EventRequest): FieldFault[] {
  const faults: FieldFault[] = [];
  const fault = (field: keyof EventRequest, message: string) => faults.push({ field, message });
  const { type, quantity } = event;
  if (type === 'ADJUST') {
    if (quantity === 0) fault('quantity', 'must not be 0');
    if (!event.reason) fault('reason', 'is mandatory for ADJUST: say what was counted or found');
  } else {
    if (quantity < 1)
      fault('quantity', 'must be 1 or more; only ADJUST takes units away by a negative number');
    if (event.state !== undefined) fault('state', 'belongs to ADJUST');
    faults.push(...faultsOfChoice(event, 'from'), ...faultsOfChoice(event, 'to'));
    if (type === 'INSPECT' && event.to === undefined)
      fault('to', 'must say what the inspection found: available or damaged');
  }
  if (type === 'ADJUST' && (event.from ?? event.to) !== undefined)
    fault(event.from ? 'from' : 'to', 'does not belong to ADJUST; use state');
  if (type === 'TRANSFER' && event.toLocation === undefined)
    fault('toLocation', 'must name where the units go');
  if (type === 'TRANSFER' && event.toLocation === event.location)
    fault('toLocation', 'must differ from location');
  if (type !== 'TRANSFER' && event.toLocation !== undefined) fault('toLocation', 'belongs to TRANSFER');
  return faults;
}

function faultsOfChoice(event: EventRequest, field: 'from' | 'to'): FieldFault[] {
  const chosen = event[field];
  if (chosen === undefined) return [];
  const choices = choicesOf(event.type as Exclude<MoveCommand['type'], 'ADJUST'>)[field];
  if (choices.length > 1 && event.type !== 'TRANSFER') {
    return choices.includes(chosen)
      ? []
      : [{ field, message: `must be one of ${choices.join(', ')} for ${event.type}` }];
  }
  return [{ field, message: `is fixed for ${event.type}` }];
}
