import { getMetadataStorage, ValidateBy, ValidateIf } from 'class-validator';
import { parsedUrl } from '../channel-api/parsed-url';
import { isMessageTemplate, MESSAGE_VARIABLES } from './message-template';

/**
 * Decorators for configuration fields. Each says in one phrase what is expected, and that phrase is the
 * error a person reads. A field without a decorator is not a setting and cannot be set from the file.
 */
function rule(name: string, expected: string, accepts: (value: unknown) => boolean): PropertyDecorator {
  return ValidateBy({ name, validator: { validate: accepts, defaultMessage: () => expected } });
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function WholeNumber(least: number, most: number): PropertyDecorator {
  return rule(
    'wholeNumber',
    `a whole number from ${least} to ${most}`,
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  );
}

export function Percent(): PropertyDecorator {
  return rule(
    'percent',
    'a number from 0 to 100',
    (value) => typeof value === 'number' && value >= 0 && value <= 100,
  );
}

export function NumberWithin(least: number, most: number): PropertyDecorator {
  return rule(
    'numberWithin',
    `a number from ${least} to ${most}`,
    (value) => typeof value === 'number' && value >= least && value <= most,
  );
}

/** A number that is set, or the word `measured` for the host to find it out. */
export function NumberOrMeasured(least: number, most: number, expected: string): PropertyDecorator {
  return rule(
    'numberOrMeasured',
    expected,
    (value) => value === 'measured' || (typeof value === 'number' && value >= least && value <= most),
  );
}

export function TrueOrFalseOr(word: 'auto'): PropertyDecorator {
  return rule(
    'booleanOrWord',
    `true, false or ${word}`,
    (value) => typeof value === 'boolean' || value === word,
  );
}

export function TrueOrFalseOrHops(): PropertyDecorator {
  return rule(
    'booleanOrHops',
    'true, false or the number of proxies in front, 1 to 10',
    (value) =>
      typeof value === 'boolean' || (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 10),
  );
}

export function OneOf(...words: readonly string[]): PropertyDecorator {
  return rule('oneOf', `one of ${words.join(', ')}`, (value) => words.includes(value as string));
}

export function TextLike(pattern: RegExp, expected: string): PropertyDecorator {
  return rule('textLike', expected, (value) => typeof value === 'string' && pattern.test(value));
}

/** A text whose `{{…}}` are variables that there are. */
export function MessageTemplate(): PropertyDecorator {
  const variables = MESSAGE_VARIABLES.map((name) => `{{${name}}}`).join(', ');
  return rule(
    'messageTemplate',
    `a text of 1 to 2000 characters in which only ${variables} stand in double braces`,
    (value) =>
      typeof value === 'string' && value.trim() !== '' && value.length <= 2_000 && isMessageTemplate(value),
  );
}

export function TextList(expected: string): PropertyDecorator {
  return rule(
    'textList',
    expected,
    (value) => Array.isArray(value) && value.every((item) => typeof item === 'string' && item.trim() !== ''),
  );
}

/** An absolute address with one of the protocols, such as `https:`. */
export function Address(protocols: readonly string[], expected: string): PropertyDecorator {
  return rule(
    'address',
    expected,
    (value) => typeof value === 'string' && protocols.includes(parsedUrl(value)?.protocol ?? ''),
  );
}

/** The address people and channels use: no credentials, query or fragment, because paths are added to it. */
export function PublicAddress(): PropertyDecorator {
  return rule('publicAddress', 'an http or https address, such as https://stock.example.com', (value) => {
    const url = typeof value === 'string' ? parsedUrl(value) : undefined;
    if (!url) return false;
    const { protocol, username, password, search, hash } = url;
    return ['http:', 'https:'].includes(protocol) && username + password + search + hash === '';
  });
}

export function Mapping(expected = 'a mapping of settings'): PropertyDecorator {
  return rule('mapping', expected, isMapping);
}

export function List(expected: string, least = 0): PropertyDecorator {
  return rule('list', expected, (value) => Array.isArray(value) && value.length >= least);
}

/** `null` is a value of this field: it means "not set". */
export function Nullable(): PropertyDecorator {
  return ValidateIf((_, value) => value !== null);
}

/** What a class accepts from the file: its settings, and which of them take a number or a boolean. */
export interface FieldKinds {
  readonly keys: readonly string[];
  readonly numbers: ReadonlySet<string>;
  readonly booleans: ReadonlySet<string>;
}

const NUMBER_RULES = ['wholeNumber', 'percent', 'numberWithin', 'numberOrMeasured', 'booleanOrHops'];
const BOOLEAN_RULES = ['booleanOrWord', 'booleanOrHops'];

/** Reads the decorators of a configuration class, so that they stay the only statement of its shape. */
export function readFieldKinds(type: new () => object): FieldKinds {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  const withRule = (names: readonly string[]): Set<string> =>
    new Set(rules.filter(({ name }) => names.includes(name ?? '')).map(({ propertyName }) => propertyName));
  return {
    keys: [...new Set(rules.map(({ propertyName }) => propertyName))],
    numbers: withRule(NUMBER_RULES),
    booleans: withRule(BOOLEAN_RULES),
  };
}
