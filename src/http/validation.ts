import { ValidationPipe } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError, type ValidatorOptions } from 'class-validator';
import { type FieldFault, Problem } from './problem';

const STRICT: ValidatorOptions = { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true };

/** Every body and query is checked against its class; unknown fields are faults. */
export function validationPipe(): ValidationPipe {
  return new ValidationPipe({
    ...STRICT,
    transform: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => invalidRequest(faultsOf(errors)),
  });
}

/** Faults of one value against a class, for items that are answered one by one. */
export function validateAs<T extends object>(
  type: new () => T,
  value: unknown,
): { value: T } | { faults: FieldFault[] } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { faults: [{ field: '', message: 'must be an object' }] };
  }
  const instance = plainToInstance(type, value);
  const faults = faultsOf(validateSync(instance, STRICT));
  return faults.length > 0 ? { faults } : { value: instance };
}

export function invalidRequest(errors: FieldFault[]): Problem {
  const detail = errors
    .map(({ field, message }) => (field ? `${field}: ${message}` : `the body ${message}`))
    .join('; ');
  return new Problem('invalid-request', detail, { errors });
}

function faultsOf(errors: ValidationError[], parent = ''): FieldFault[] {
  return errors.flatMap((error) => {
    const field = pathOf(parent, error.property);
    const own = Object.values(error.constraints ?? {}).map((message) => ({
      field,
      message: told(message, error.property),
    }));
    return [...own, ...faultsOf(error.children ?? [], field)];
  });
}

function pathOf(parent: string, property: string): string {
  if (/^\d+$/.test(property)) return `${parent}[${property}]`;
  return parent ? `${parent}.${property}` : property;
}

/** class-validator repeats the property's name in its messages; the field says it already. */
function told(message: string, property: string): string {
  if (/should not exist$/.test(message)) return 'is not a field of this request';
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}
