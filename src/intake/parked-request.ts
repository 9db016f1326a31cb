import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { IsText, MayBeAbsent } from '../http/fields';
import { PageQuery } from '../http/page';
import { invalidRequest } from '../http/validation';

/** Which of the parked things are meant; every field given must fit. */
export class ParkedQuery extends PageQuery {
  @ApiPropertyOptional({ enum: ['parked', 'dismissed'], default: 'parked' })
  @MayBeAbsent()
  @IsIn(['parked', 'dismissed'])
  state: 'parked' | 'dismissed' = 'parked';

  @MayBeAbsent()
  @IsText(100)
  channel?: string;
}

export class ParkedWebhooksQuery extends ParkedQuery {
  @MayBeAbsent()
  @IsText(200)
  topic?: string;

  @MayBeAbsent()
  @IsText(100)
  code?: string;
}

export class ParkedOrdersQuery extends ParkedQuery {
  @MayBeAbsent()
  @IsText(100)
  code?: string;
}

export class ParkedLinesQuery extends ParkedQuery {
  @MayBeAbsent()
  @IsText(200)
  channelSku?: string;
}

export class RetryBody {
  @MayBeAbsent()
  @IsText(500)
  reason?: string;
}

export class DismissBody {
  /** For whoever asks later why nothing was done about it. */
  @IsText(500)
  reason: string;
}

/** All that are parked and fit; at least one of the fields must say which. */
export class ParkedFilter {
  @MayBeAbsent()
  @IsText(100)
  channel?: string;

  @MayBeAbsent()
  @IsText(200)
  topic?: string;

  @MayBeAbsent()
  @IsText(100)
  code?: string;

  @MayBeAbsent()
  @IsText(200)
  channelSku?: string;
}

export class RetryAllBody extends ParkedFilter {
  @MayBeAbsent()
  @IsText(500)
  reason?: string;
}

export class DismissAllBody extends ParkedFilter {
  @IsText(500)
  reason: string;
}

/** The filter's own fields, of which the kind must have each and there must be one. */
export function filterOf(body: ParkedFilter, allowed: readonly (keyof ParkedFilter)[]): ParkedFilter {
  const { channel, topic, code, channelSku } = body;
  const given = Object.entries({ channel, topic, code, channelSku }).filter(
    ([, value]) => value !== undefined,
  );
  const strange = given.filter(([field]) => !allowed.includes(field as keyof ParkedFilter));
  if (strange.length > 0)
    throw invalidRequest(strange.map(([field]) => ({ field, message: 'is not a field of this request' })));
  if (given.length === 0)
    throw invalidRequest([{ field: '', message: `must name at least one of ${allowed.join(', ')}` }]);
  return Object.fromEntries(given) as ParkedFilter;
}
