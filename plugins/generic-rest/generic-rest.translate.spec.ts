import * as fc from 'fast-check';
import { parseJsonLossless } from 'onhand/channel-api';
import { fieldOf, setField } from './generic-rest.fields';
import { OrderFields } from './generic-rest.options';
import { translateOrder } from './generic-rest.translate';

const LINE = { id: 'l-1', sku: 'A', ordered: 3, cancelled: 1, fulfilled: 0, returned: 0 };
const ORDER = { id: '1', revision: 1, placed_at: '2025-01-01T00:00:00Z', lines: [LINE] };

function translated(change: object, fields = new OrderFields()) {
  return translateOrder({ ...ORDER, ...change }, fields);
}

function translatedLine(change: object) {
  return translated({ lines: [{ ...LINE, ...change }] }).lines[0];
}

describe('translateOrder', () => {
  it.each([-1, 1.5, 1e21, NaN, Infinity, '1', '', null, true, [], {}, 2 ** 53])(
    'the quantity %p is untranslatable, and the error names the field',
    (ordered) =>
      expect(() => translatedLine({ ordered })).toThrow('lines[0].ordered must be a whole number, 0 or more'),
  );

  it('an ordered quantity left out is untranslatable, the other counts are 0', () => {
    expect(() => translatedLine({ ordered: undefined })).toThrow('lines[0].ordered');
    const rest = { cancelled: undefined, fulfilled: undefined, returned: undefined };
    expect(translatedLine(rest)).toMatchObject({ ordered: 3, cancelled: 0, fulfilled: 0, returned: 0 });
    expect(() => translatedLine({ fulfilled: null })).toThrow('lines[0].fulfilled');
  });

  it('two ids that round to the same number stay two', () => {
    const read = (id: string) =>
      translateOrder(parseJsonLossless(JSON.stringify(ORDER).replace('"1"', id)), new OrderFields());
    expect(read('9007199254740993').orderId).toBe('9007199254740993');
    expect(read('9007199254740992').orderId).toBe('9007199254740992');
    expect(read('17').orderId).toBe('17');
  });

  it.each([
    null,
    '',
    ' ',
    true,
    1.5,
    1e21,
    {},
    ['1'],
    'a\u0000b',
    'a\r\nb',
    '\u2028',
    '\ud800',
    'x'.repeat(256),
  ])('the id %j is untranslatable', (id) => {
    expect(() => translated({ id })).toThrow(/^id /);
    expect(() => translatedLine({ sku: id })).toThrow(/^lines\[0\]\.sku /);
  });

  it('two lines of one id are untranslatable', () => {
    expect(() => translated({ lines: [LINE, LINE] })).toThrow('the same id on two lines');
  });

  it.each([
    ['2025-01-31T12:00:00Z', '2025-01-31T12:00:00.000Z'],
    ['2025-01-31T12:00:00.5+02:00', '2025-01-31T10:00:00.500Z'],
    ['2025-01-31T12:00:00', '2025-01-31T12:00:00.000Z'],
    ['2025-01-31 12:00', '2025-01-31T12:00:00.000Z'],
    ['2025-01-31', '2025-01-31T00:00:00.000Z'],
    [1738324800, '2025-01-31T12:00:00.000Z'],
    [1738324800123, '2025-01-31T12:00:00.123Z'],
  ])('the time %j is %s', (placed_at, expected) => {
    expect(translated({ placed_at }).placedAt).toBe(expected);
  });

  it.each(['', 'yesterday', '31.01.2025', '2025-13-01T00:00:00Z', '-5', null, -1, 1e21, NaN, {}])(
    'the time %p is untranslatable',
    (placed_at) => expect(() => translated({ placed_at })).toThrow(/^placed_at must be an ISO 8601 time/),
  );

  it('a time without a zone is read as UTC, whatever zone the host is in', () => {
    const parse = jest.spyOn(Date, 'parse');
    translated({ placed_at: '2025-01-31T12:00:00' });
    const parsed = parse.mock.calls.map(([text]) => text);
    parse.mockRestore();
    expect(parsed).toEqual(['2025-01-31T12:00:00Z']);
  });

  it('where only updatedAt is named, it is the revision', () => {
    const fields = Object.assign(new OrderFields(), { updatedAt: 'changed' });
    const changed = '2025-01-31T12:00:00.001Z';
    expect(translated({ changed, revision: undefined }, fields)).toMatchObject({
      revision: Date.parse(changed),
      updatedAt: changed,
    });
    expect(() => translated({}, fields)).toThrow(/^changed /);
  });

  it('whatever the document, the answer is an order or an UntranslatableError that does not quote it', () => {
    const anything = fc.anything({ withNullPrototype: true, withBigInt: false, maxDepth: 3 });
    const loose = fc.record({
      id: anything,
      revision: anything,
      placed_at: anything,
      lines: fc.oneof(anything, fc.array(anything)),
    });
    fc.assert(
      fc.property(fc.oneof(anything, loose), (document) => {
        try {
          translateOrder(document, new OrderFields());
        } catch (error) {
          expect(error).toMatchObject({ code: 'untranslatable' });
        }
      }),
    );
  });
});

describe('field paths', () => {
  it.each(['__proto__', 'constructor', 'constructor.name', 'a.__proto__.b', 'toString', 'a.length.x'])(
    '%s leads nowhere, even where a document has it',
    (path) => {
      const document: unknown = JSON.parse(
        '{"__proto__":{"b":1},"constructor":{"name":"x"},"a":{"__proto__":{"b":2}}}',
      );
      expect(fieldOf({ value: document, path: '' }, path).value).toBeUndefined();
    },
  );

  it('no document being built reaches a prototype', () => {
    for (const path of ['__proto__.polluted', 'constructor.prototype.polluted']) {
      expect(() => setField({}, path, true)).toThrow(/prototype/);
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
