import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  Min,
  ValidateNested,
} from 'class-validator';
import { IsCode, IsPastTime, IsQuantity, IsText, MayBeAbsent } from '../http/fields';
import { PageQuery } from '../http/page';
import type { ReservationState } from './reservation';

const MAX_LINES = 500;
const LISTED_STATES = ['open', 'all', 'held', 'confirmed', 'fulfilled', 'released', 'expired'];

export class ReservationsQuery extends PageQuery {
  @ApiProperty({ example: 'MUG-RED' })
  @IsCode()
  sku: string;

  @ApiPropertyOptional({
    enum: LISTED_STATES,
    default: 'open',
    description: '`open`: units of the SKU are still promised',
  })
  @MayBeAbsent()
  @IsIn(LISTED_STATES)
  state: 'open' | 'all' | ReservationState = 'open';
}

export class ReservationLineRequest {
  @ApiProperty({ example: 'MUG-RED' })
  @IsCode()
  sku: string;

  @ApiProperty({ example: 2 })
  @IsQuantity()
  quantity: number;

  @ApiPropertyOptional({ description: 'Absent: the first location in priority order that covers the line' })
  @MayBeAbsent()
  @IsCode()
  location?: string;
}

export class ReservationRequestBody {
  @ApiPropertyOptional({ description: "The caller's own number for it" })
  @MayBeAbsent()
  @IsText(200)
  reference?: string;

  @ApiProperty({ type: [ReservationLineRequest] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_LINES)
  // A list within the list would have its own items validated, and pass for a line.
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => ReservationLineRequest)
  lines: ReservationLineRequest[];

  @ApiPropertyOptional({ description: 'A hold: given back after so many seconds unless confirmed' })
  @MayBeAbsent()
  @IsInt()
  @Min(1)
  ttlSeconds?: number;

  @ApiPropertyOptional({ description: 'Reserve what there is instead of all or nothing', default: false })
  @MayBeAbsent()
  @IsBoolean()
  partial?: boolean;
}

export class ReservationChangeBody {
  @ApiPropertyOptional({ type: [ReservationLineRequest], description: 'Absent: all that is open' })
  @MayBeAbsent()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_LINES)
  // A list within the list would have its own items validated, and pass for a line.
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => ReservationLineRequest)
  lines?: ReservationLineRequest[];

  @ApiPropertyOptional({ description: 'When it happened; default now' })
  @MayBeAbsent()
  @IsPastTime()
  occurredAt?: string;
}
