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

/** An ISO 8601 time with its offset, such as `2010-12-01T08:26:00Z`. */
export function IsTime(): PropertyDecorator {
  return applyDecorators(
    IsISO8601({ strict: true, strictSeparator: true }),
    Matches(/T.*(Z|[+-]\d\d:?\d\d)$/, {
      message: 'must be an ISO 8601 time with its offset, such as 2010-12-01T08:26:00Z',
    }),
  );
}

/** May be absent, but not null. */
export function MayBeAbsent(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}
