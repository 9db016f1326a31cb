import type { OrderDocument, OrderDocumentLine } from '../channel-api';
import { apology, isCancelledIn, linesToCancel } from './oversell-cancel';

const line = (lineId: string, more: Partial<OrderDocumentLine> = {}): OrderDocumentLine => ({
  lineId,
  channelSku: `S-${lineId}`,
  ordered: 5,
  cancelled: 0,
  fulfilled: 0,
  returned: 0,
  ...more,
});
const order = (...lines: OrderDocumentLine[]): OrderDocument => ({
  kind: 'order',
  orderId: 'O-1',
  revision: 1,
  placedAt: '2024-05-01T10:00:00Z',
  lines,
});
const [MUG, CAP] = [1, 2];

describe('what is cancelled of a short order', () => {
  test('is what is short of each line, and nothing of the others', () => {
    const short = [{ lineId: 'b', skuId: MUG, quantity: 2 }];
    const mapping = { a: [{ skuId: MUG, units: 1 }], b: [{ skuId: MUG, units: 1 }] };
    expect(linesToCancel(order(line('a'), line('b')), mapping, short)).toEqual([
      { lineId: 'b', quantityUnits: 2, wantedUnits: 5 },
    ]);
  });

  test.each([
    [1, 0, 1],
    [6, 0, 1],
    [7, 0, 2],
    [1, 7, 3],
    [30, 0, 5],
  ])('is whole sets: %d mugs and %d caps short are %d sets', (mugs, caps, sets) => {
    const mapping = {
      a: [
        { skuId: MUG, units: 6 },
        { skuId: CAP, units: 3 },
      ],
    };
    const short = [
      { lineId: 'a', skuId: MUG, quantity: mugs },
      { lineId: 'a', skuId: CAP, quantity: caps },
    ];
    expect(linesToCancel(order(line('a')), mapping, short)).toMatchObject([{ quantityUnits: sets }]);
  });

  test('is never what was cancelled or shipped already', () => {
    const short = [{ lineId: 'a', skuId: MUG, quantity: 5 }];
    const mapping = { a: [{ skuId: MUG, units: 1 }] };
    const of = (more: Partial<OrderDocumentLine>) => linesToCancel(order(line('a', more)), mapping, short);
    expect(of({ cancelled: 2, fulfilled: 1 })).toMatchObject([{ quantityUnits: 2, wantedUnits: 3 }]);
    expect(of({ fulfilled: 5 })).toEqual([]);
    expect(of({ fulfilled: 9 })).toEqual([]);
    expect(linesToCancel(order(), mapping, short)).toEqual([]);
  });

  test('is cancelled once the order wants as much less, or has lost the line', () => {
    const asked = [{ lineId: 'a', quantityUnits: 2, wantedUnits: 5 }];
    expect(isCancelledIn(order(line('a')), asked)).toBe(false);
    expect(isCancelledIn(order(line('a', { cancelled: 1 })), asked)).toBe(false);
    expect(isCancelledIn(order(line('a', { cancelled: 2 })), asked)).toBe(true);
    expect(isCancelledIn(order(line('a', { ordered: 3 })), asked)).toBe(true);
    expect(isCancelledIn(order(line('b')), asked)).toBe(true);
    expect(isCancelledIn(order(line('b')), [...asked, { ...asked[0]!, lineId: 'b' }])).toBe(false);
  });

  test('is told to the customer by the channel’s own SKUs, ten at most by name', () => {
    const many = Array.from({ length: 12 }, (_, index) => line(`${index}`));
    const asked = many.map(({ lineId }) => ({ lineId, quantityUnits: 2, wantedUnits: 5 }));
    expect(apology('{{units}}: {{lines}}', 'shop', order(...many), asked)).toBe(
      `24: ${many
        .slice(0, 10)
        .map(({ channelSku }) => `2 × ${channelSku}`)
        .join(', ')}, and 2 more`,
    );
  });
});
