import { assertPlainJson } from './plain-json';
import { Problem, type ProblemBody } from './problem';

function faultOf(json: string): { field: string; message: string } | undefined {
  try {
    assertPlainJson(JSON.parse(json));
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    const body = (error as Problem).getResponse() as ProblemBody;
    expect(body).toMatchObject({ status: 400, code: 'invalid-request' });
    return body.errors![0];
  }
}

const nested = (levels: number, open: string, close: string) =>
  `${open.repeat(levels)}1${close.repeat(levels)}`;

describe('plain JSON', () => {
  test.each([
    '{}',
    '[]',
    'null',
    '"text"',
    '{"a":[{"b":"c"},null,1.5,true]}',
    '{"a":"\\u0001","protos":1,"_proto_":2}',
    nested(12, '[', ']'),
    nested(12, '{"a":', '}'),
  ])('%s is taken', (json) => {
    expect(faultOf(json)).toBeUndefined();
  });

  test.each([
    ['{"__proto__":1}', '__proto__'],
    ['{"a":{"__proto__":{}}}', 'a.__proto__'],
    ['{"lines":[{},{"constructor":1}]}', 'lines[1].constructor'],
    ['{"prototype":null}', 'prototype'],
    ['{"toString":"x"}', 'toString'],
    ['{"hasOwnProperty":1}', 'hasOwnProperty'],
    ['[{"a\\u0000b":1}]', '[0].ab'],
  ])('%s has a field that is none', (json, field) => {
    expect(faultOf(json)).toEqual({ field, message: 'is not a field' });
  });

  test.each([
    ['{"sku":"A\\u0000"}', 'sku'],
    ['{"lines":[{"sku":"\\u0000"}]}', 'lines[0].sku'],
    ['["\\u0000"]', '[0]'],
    ['"\\u0000"', ''],
  ])('%s holds a NUL', (json, field) => {
    expect(faultOf(json)).toEqual({ field, message: 'must not hold a NUL character' });
  });

  test.each([13, 1_000, 1_000_000])('%i levels are too deep, and are not walked to their end', (levels) => {
    const startedAt = performance.now();
    expect(faultOf(nested(levels, '[', ']'))?.message).toBe('must not be nested deeper than 12 levels');
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('a wide body is looked through in time that grows with its size', () => {
    const startedAt = performance.now();
    expect(faultOf(`[${Array(200_000).fill('{"sku":"A"}').join()}]`)).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
