import { type OrderDocument, type OrderDocumentLine, UntranslatableError } from '../channel-api';
import { checkedOrder } from './order-document';

const LINE: OrderDocumentLine = {
  lineId: 'L-1',
  channelSku: 'S-1',
  ordered: 3,
  cancelled: 1,
  fulfilled: 1,
  returned: 1,
};
const ORDER: OrderDocument = {
  kind: 'order',
  orderId: 'O-1',
  revision: 7,
  placedAt: '2024-05-01T10:00:00Z',
  lines: [LINE],
};

/** As a plugin might give it, whatever its types say. */
const withField = (field: string, value: unknown) => ({ ...ORDER, [field]: value }) as OrderDocument;
const withLineField = (field: string, value: unknown) =>
  withField('lines', [LINE, { ...LINE, lineId: 'L-2', [field]: value }]);

describe('an order document', () => {
  test.each<[string, OrderDocument]>([
    ['as it should be', ORDER],
    ['with the time it changed', { ...ORDER, updatedAt: '2024-05-02T10:00:00+02:00' }],
    ['of revision 0', { ...ORDER, revision: 0 }],
    ['whose revision is a time in ms', { ...ORDER, revision: 1_714_557_600_000 }],
    ['without lines', { ...ORDER, lines: [] }],
    ['with a location', { ...ORDER, lines: [{ ...LINE, channelLocation: 'gid://shop/1' }] }],
    [
      'of which all is cancelled',
      { ...ORDER, lines: [{ ...LINE, cancelled: 3, fulfilled: 0, returned: 0 }] },
    ],
    ['that shipped more than was ordered', { ...ORDER, lines: [{ ...LINE, fulfilled: 9 }] }],
    [
      'with names that every object has',
      { ...ORDER, orderId: 'constructor', lines: [{ ...LINE, lineId: '__proto__' }] },
    ],
    ['with the longest names', { ...ORDER, orderId: 'x'.repeat(200) }],
    ['with the most units', { ...ORDER, lines: [{ ...LINE, ordered: 1_000_000_000 }] }],
  ])('%s is taken as it stands', (_name, order) => {
    expect(checkedOrder(order)).toBe(order);
  });

  const NO_ID = [undefined, null, '', 7, {}, 'x'.repeat(201), 'A\0', 'A\nB', 'A\u0085', '\ud800'];
  const NO_COUNT = [undefined, null, -1, 1.5, NaN, Infinity, '1', 2 ** 53, 1e21, 1_000_000_001];
  const NO_TIME = [null, '', 'soon', {}, [], '2024-13-01T00:00:00Z'];

  test.each([
    ['orderId', NO_ID],
    ['revision', [undefined, null, -1, 1.5, NaN, '1', 2 ** 53, 1e21]],
    ['placedAt', [undefined, 1_700_000_000_000, ...NO_TIME]],
    ['updatedAt', NO_TIME],
    [
      'lines',
      [
        undefined,
        null,
        {},
        'L',
        Array.from({ length: 5_001 }, (_, index) => ({ ...LINE, lineId: `${index}` })),
      ],
    ],
  ])('with another %s is refused, and told so without the value', (field, values) => {
    for (const value of values) {
      expect(() => checkedOrder(withField(field, value))).toThrow(UntranslatableError);
      expect(() => checkedOrder(withField(field, value))).toThrow(
        new RegExp(`^the order's ${field} must be`),
      );
    }
  });

  test.each([
    ['lineId', NO_ID],
    ['channelSku', NO_ID],
    ['channelLocation', NO_ID.slice(1)],
    ['ordered', NO_COUNT],
    ['cancelled', NO_COUNT],
    ['fulfilled', NO_COUNT],
    ['returned', NO_COUNT],
  ])('with another %s in a line is refused, and told which', (field, values) => {
    for (const value of values) {
      expect(() => checkedOrder(withLineField(field, value))).toThrow(UntranslatableError);
      expect(() => checkedOrder(withLineField(field, value))).toThrow(
        new RegExp(`^the order's lines\\[1\\]\\.${field} must be`),
      );
    }
  });

  test('that cancels more than was ordered is refused', () => {
    expect(() => checkedOrder(withLineField('cancelled', 4))).toThrow(
      'lines[1].cancelled must not exceed what was ordered',
    );
  });

  test('with two lines of one id is refused', () => {
    expect(() => checkedOrder({ ...ORDER, lines: [LINE, LINE] })).toThrow('lines[1].lineId is there twice');
  });

  test.each([null, undefined, 7, 'L'])('with a line that is %p is refused', (line) => {
    expect(() => checkedOrder(withField('lines', [line]))).toThrow(UntranslatableError);
  });

  test('is never tried again: what a plugin cannot make sense of waits for a person', () => {
    expect.assertions(1);
    try {
      checkedOrder(withField('orderId', ''));
    } catch (error) {
      expect(error).toMatchObject({ retryable: false, code: 'untranslatable' });
    }
  });
});
