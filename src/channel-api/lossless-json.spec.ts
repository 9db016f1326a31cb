import * as fc from 'fast-check';
import { parseJsonLossless } from './lossless-json';

describe('parseJsonLossless', () => {
  it.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', '9007199254740993'],
    ['-9007199254740993', '-9007199254740993'],
    ['[820982911946154508,1]', ['820982911946154508', 1]],
    ['{"id":820982911946154508}', { id: '820982911946154508' }],
    [
      '{"a":"820982911946154508","b":" \\" 820982911946154508,"}',
      { a: '820982911946154508', b: ' " 820982911946154508,' },
    ],
    ['{"820982911946154508":1}', { '820982911946154508': 1 }],
    ['"\\\\",820982911946154508'.replace(/^(.*)$/, '[$1]'), ['\\', '820982911946154508']],
    ['0.12345678901234567', 0.12345678901234567],
    ['1e21', 1e21],
  ])('%s is read without rounding an id', (text, expected) => {
    expect(parseJsonLossless(text)).toEqual(expected);
  });

  it.each(['', '<html>', '01', '[00000000000000000001]', '{"a":820982911946154508', '1 2'])(
    '%j is not JSON',
    (text) => expect(() => parseJsonLossless(text)).toThrow(SyntaxError),
  );

  it('whatever has no integer beyond 2^53 is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat({ max: 3 }), (json, indent) => {
        const safe = JSON.stringify(JSON.parse(json), (_, value: unknown) =>
          typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? 0 : value,
        );
        // The long digits in a string make sure that the slow path is the one that is taken.
        const text = JSON.stringify(
          { '820982911946154508': '\\"820982911946154508', value: JSON.parse(safe) as unknown },
          null,
          indent,
        );
        expect(parseJsonLossless(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('every integer keeps its digits, wherever it stands', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n })), fc.string(), (ids, key) => {
        const text = `{${JSON.stringify(key)}:[${ids.join(', ')}]}`;
        const read = Object.values(parseJsonLossless(text) as Record<string, unknown[]>)[0];
        expect(read?.map(String)).toEqual(ids.map(String));
      }),
    );
  });
});
