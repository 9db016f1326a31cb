import { applyDecorators } from '@nestjs/common';
import {
  IsISO8601,
  IsInt,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateBy,
  ValidateIf,
} from 'class-validator';

/** One request never moves more; a typo in thousands of millions is a typo. */
export const MAX_QUANTITY_UNITS = 1_000_000_000;

const PRINTABLE = /^[^\p{Cc}\p{Cs}]*$/u;

/** A code: 1 to 100 printable characters, no spaces at its ends. */
export function IsCode({ each = false } = {}): PropertyDecorator {
  return applyDecorators(
    IsString({ each }),
    MinLength(1, { each }),
    MaxLength(100, { each }),
    Matches(PRINTABLE, { each, message: 'must not hold control characters' }),
    Matches(/^(?!\s)[^]*(?<!\s)$/, { each, message: 'must not start or end with a space' }),
  );
}

/** Free text of at most `length` printable characters. */
export function IsText(length: number): PropertyDecorator {
  return applyDecorators(
    IsString(),
    MinLength(1),
    MaxLength(length),
    Matches(PRINTABLE, { message: 'must not hold control characters' }),
  );
}

/** Whole units, 1 or more. */
export function IsQuantity(): PropertyDecorator {
  return applyDecorators(IsInt(), Min(1), Max(MAX_QUANTITY_UNITS));
}

/** ISO 8601 has more forms (weeks, days of the year, no separators) than `Date` reads. */
const WHOLE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/;

/** An ISO 8601 time with its offset, such as `2010-12-01T08:26:00Z`. */
export function IsTime(): PropertyDecorator {
  return applyDecorators(
    IsISO8601({ strict: true, strictSeparator: true }),
    Matches(WHOLE_TIME, {
      message: 'must be an ISO 8601 time with its offset, such as 2010-12-01T08:26:00Z',
    }),
  );
}

/** Clocks differ a little; a time further ahead than this is a mistake. */
const MAX_AHEAD_MS = 5 * 60_000;

/** When something happened: a time that is not in the future. */
export function IsPastTime(): PropertyDecorator {
  const isPast = (value: unknown) =>
    typeof value !== 'string' || !(Date.parse(value) > Date.now() + MAX_AHEAD_MS);
  return applyDecorators(
    IsTime(),
    ValidateBy({
      name: 'isPastTime',
      validator: { validate: isPast, defaultMessage: () => 'must not be in the future' },
    }),
  );
}

/** May be absent, but not null. */
export function MayBeAbsent(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}
