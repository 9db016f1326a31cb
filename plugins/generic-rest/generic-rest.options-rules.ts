// Brings the metadata the decorators below look up; must come before class-transformer's use.
import 'onhand/channel-api';
import { Type } from 'class-transformer';
import { IsObject, IsString, Matches, ValidateBy, ValidateIf, ValidateNested } from 'class-validator';

/** Never walked: they lead out of the document into the language. */
export const FORBIDDEN_SEGMENTS: readonly string[] = ['__proto__', 'prototype', 'constructor'];

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** A dotted path such as `variant.sku` or `skus.0`; empty for the whole document where `orWhole` is given. */
export function FieldPath(rule: { orWhole?: boolean } = {}): PropertyDecorator {
  return checked('fieldPath', (value) => {
    if (typeof value !== 'string') return `must be a dotted path such as "variant.sku"`;
    if (value === '') return rule.orWhole ? undefined : 'must not be empty; leave it out for the default';
    const segments = value.split('.');
    if (segments.some((segment) => segment.trim() === '')) return 'has an empty part between its dots';
    const forbidden = segments.find((segment) => FORBIDDEN_SEGMENTS.includes(segment));
    return forbidden && `must not contain "${forbidden}"`;
  });
}

/** A path on the shop such as `/api/inventory/{sku}`, with no placeholders but those named. */
export function PathTemplate(placeholders: string[], rule: { requires?: string } = {}): PropertyDecorator {
  return checked('pathTemplate', (value) => {
    if (typeof value !== 'string' || !/^\/[^?#\s\\]*$/.test(value)) {
      return 'must be a path that begins with "/", without query, fragment or blanks';
    }
    const used = [...value.matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? '');
    const unknown = used.find((name) => !placeholders.includes(name));
    if (unknown !== undefined)
      return `has an unknown placeholder {${unknown}}; known: ${listed(placeholders)}`;
    return rule.requires && !used.includes(rule.requires) ? `must contain {${rule.requires}}` : undefined;
  });
}

export function HeaderName(): PropertyDecorator {
  return (target, property) => {
    IsString()(target, property as string);
    Matches(HEADER_NAME, { message: 'must be the name of an HTTP header' })(target, property as string);
  };
}

/** May be left out, but not be null: a YAML key with nothing behind it is a slip, not a choice. */
export function Optional(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

/** A nested group of options, validated by its own class. */
export function Nested(type: () => new () => object): PropertyDecorator {
  return (target, property) => {
    Type(type)(target, property);
    IsObject({ message: 'must be a mapping of names to values' })(target, property as string);
    ValidateNested()(target, property as string);
  };
}

/** A decorator from a function that answers what is wrong, or nothing. */
function checked(name: string, problemOf: (value: unknown) => string | undefined): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (value) => problemOf(value) === undefined,
      defaultMessage: (args) => problemOf(args?.value) ?? 'is not valid',
    },
  });
}

function listed(names: string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => `{${name}}`).join(', ');
}
