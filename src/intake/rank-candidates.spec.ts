import fc from 'fast-check';
import { type CancelCandidate, rankCandidates } from './rank-candidates';

const candidate = (orderId: string, given: Partial<CancelCandidate> = {}): CancelCandidate => ({
  channel: 'shop',
  orderId,
  isShort: false,
  placedAt: '2026-11-20T10:00:00Z',
  freesUnits: 2,
  otherLines: 0,
  penalty: 1,
  ...given,
});
const orderOf = (candidates: readonly CancelCandidate[]) =>
  rankCandidates(candidates, 2).map(({ orderId }) => orderId);

describe('the order to cancel', () => {
  test('is the one placed last, where nothing else tells them apart', () => {
    const ranked = rankCandidates(
      [
        candidate('first', { placedAt: '2026-11-20T09:00:00Z' }),
        candidate('last', { placedAt: '2026-11-20T11:00:00Z', isShort: true }),
        candidate('second'),
      ],
      2,
    );
    expect(ranked.map(({ orderId, place, cost, reasons }) => ({ orderId, place, cost, reasons }))).toEqual([
      { orderId: 'last', place: 1, cost: 0, reasons: ['placed last'] },
      { orderId: 'second', place: 2, cost: 0.05, reasons: ['placed 2. of 3'] },
      { orderId: 'first', place: 3, cost: 0.1, reasons: ['placed first'] },
    ]);
  });

  test('is on the channel where that costs least, though it was placed first', () => {
    const [cheap, dear] = rankCandidates(
      [
        candidate('on-market', { channel: 'market', penalty: 8, placedAt: '2026-11-20T11:00:00Z' }),
        candidate('on-shop'),
      ],
      2,
    );
    expect(cheap).toMatchObject({
      orderId: 'on-shop',
      reasons: ['a cancellation on shop counts 1', 'placed first'],
    });
    expect(dear).toMatchObject({ reasons: ['a cancellation on market counts 8', 'placed last'] });
  });

  test('has the fewest other lines', () => {
    expect(
      orderOf([candidate('a', { otherLines: 5 }), candidate('b'), candidate('c', { otherLines: 1 })]),
    ).toEqual(['b', 'c', 'a']);
  });

  test('is never one that does not free enough, while another does', () => {
    const ranked = rankCandidates(
      [
        candidate('little', { freesUnits: 1, penalty: 0, otherLines: 0, placedAt: '2026-11-20T12:00:00Z' }),
        candidate('enough', { penalty: 10, otherLines: 9 }),
      ],
      2,
    );
    expect(ranked.map(({ orderId }) => orderId)).toEqual(['enough', 'little']);
    expect(ranked[1]!.reasons[0]).toBe('frees 1 of the 2 short');
  });

  test('is the short one itself, where all are alike', () => {
    expect(orderOf([candidate('a'), candidate('b', { isShort: true })])).toEqual(['b', 'a']);
    const [only] = rankCandidates([candidate('only', { placedAt: null })], 2);
    expect(only).toMatchObject({ place: 1, cost: 0, reasons: [] });
  });

  const anyCandidates = fc.uniqueArray(
    fc.record({
      channel: fc.constantFrom('shop', 'market'),
      orderId: fc.string({ minLength: 1, maxLength: 3 }),
      isShort: fc.boolean(),
      placedAt: fc.option(fc.constantFrom('2026-11-20T10:00:00Z', '2026-11-20T11:00:00Z')),
      freesUnits: fc.integer({ min: 1, max: 3 }),
      otherLines: fc.integer({ min: 0, max: 3 }),
      penalty: fc.integer({ min: 0, max: 10 }),
    }),
    { minLength: 1, maxLength: 8, selector: ({ channel, orderId }) => `${channel} ${orderId}` },
  );

  test('does not depend on how they are given', () => {
    fc.assert(
      fc.property(anyCandidates, fc.infiniteStream(fc.nat()), (candidates, noise) => {
        const shuffled = candidates
          .map((each) => ({ each, at: noise.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ each }) => each);
        expect(rankCandidates(shuffled, 2)).toEqual(rankCandidates(candidates, 2));
      }),
    );
  });

  test('is never one that another betters by every criterion', () => {
    const against = ({ freesUnits, penalty, otherLines, placedAt }: CancelCandidate) => [
      Number(freesUnits < 2),
      penalty,
      otherLines,
      -(placedAt === null ? 0 : Date.parse(placedAt)),
    ];
    fc.assert(
      fc.property(anyCandidates, (candidates) => {
        const first = against(rankCandidates(candidates, 2)[0]!);
        for (const other of candidates)
          expect(against(other).every((figure, at) => figure < first[at]!)).toBe(false);
      }),
    );
  });
});
