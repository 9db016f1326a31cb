import { BadRequestException, InternalServerErrorException, NotFoundException } from '@nestjs/common';
import { Problem, PROBLEMS } from './problem';
import { problemOf } from './problem.filter';

const withFields = (fields: object, message = 'what happened') => Object.assign(new Error(message), fields);

describe('an error is told as a problem', () => {
  test('that says what it says', () => {
    const problem = new Problem('insufficient-stock', 'not enough', { lines: [1] });
    expect(problemOf(problem)).toEqual({
      type: 'urn:onhand:problem:insufficient-stock',
      code: 'insufficient-stock',
      title: 'There is not enough stock',
      status: 409,
      detail: 'not enough',
      lines: [1],
    });
  });

  test('of its code, naming the field', () => {
    expect(problemOf(withFields({ code: 'unknown-sku', field: 'lines[2].sku' }))).toMatchObject({
      status: 422,
      code: 'unknown-sku',
      errors: [{ field: 'lines[2].sku', message: 'what happened' }],
    });
  });

  test.each([
    ['channel-unavailable', 502],
    ['channel-unauthorized', 502],
    ['channel-protocol', 502],
    ['channel-request', 502],
    ['untranslatable', 502],
    ['channel-throttled', 503],
  ])('of a channel with the code %s and the status %i', (code, status) => {
    expect(problemOf(withFields({ code, retryable: true }))).toMatchObject({
      code,
      status,
      detail: 'what happened',
    });
  });

  test.each([
    ['one that nobody foresaw', new Error('password is hunter2')],
    ['one of the database', withFields({ code: '22003' }, 'value "hunter2" is out of range')],
    ['one of the network', withFields({ code: 'ECONNREFUSED' }, 'connect hunter2:5432')],
    ['one that says it is internal', withFields({ code: 'internal-error' }, 'hunter2')],
    ['one with a code that every object has', withFields({ code: 'constructor' }, 'hunter2')],
    ['one of the framework', new InternalServerErrorException()],
    ['no error at all', undefined],
    ['a text', 'hunter2'],
  ])('of status 500 that tells nothing, for %s', (_name, error) => {
    const problem = problemOf(error);
    expect(problem).toMatchObject({ status: 500, code: 'internal-error' });
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  });

  test.each([
    [
      new NotFoundException('Cannot GET /v1/nothing?token=hunter2'),
      404,
      'not-found',
      'Cannot GET /v1/nothing',
    ],
    [new BadRequestException('no'), 400, 'invalid-request', 'no'],
    [withFields({ status: 400 }, 'bad'), 400, 'invalid-request', 'bad'],
    [withFields({ status: 418 }, 'teapot'), 400, 'invalid-request', 'teapot'],
    [withFields({ type: 'entity.too.large', status: 413 }), 413, 'payload-too-large', expect.any(String)],
    [
      withFields({ type: 'charset.unsupported', status: 415 }),
      415,
      'unsupported-media-type',
      'what happened',
    ],
    [
      withFields({ type: 'encoding.unsupported', status: 415 }),
      415,
      'unsupported-media-type',
      'what happened',
    ],
  ])('of its status: %s', (error, status, code, detail) => {
    expect(problemOf(error)).toMatchObject({ status, code, detail: detail as string });
  });

  test('whose status fits its class for every code', () => {
    for (const [code, { status, title }] of Object.entries(PROBLEMS)) {
      expect(problemOf(new Problem(code as keyof typeof PROBLEMS, 'x'))).toMatchObject({
        code,
        status,
        title,
      });
      expect(status).toBeGreaterThanOrEqual(400);
    }
  });
});
