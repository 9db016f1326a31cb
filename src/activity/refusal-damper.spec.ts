import type { ActivityEntry } from './activity';
import { RefusalDamper } from './refusal-damper';

const MINUTE = 60_000;

function refusal(subject: string, name = 'scanner'): ActivityEntry {
  return { actor: { kind: 'key', name }, action: 'key.revoke', subject, outcome: 'refused', status: 404 };
}

describe('refusals that are alike', () => {
  let told: ActivityEntry[];
  let damper: RefusalDamper;

  beforeEach(() => {
    jest.useFakeTimers();
    told = [];
    damper = new RefusalDamper(MINUTE, (entry) => told.push(entry));
  });

  afterEach(() => jest.useRealTimers());

  test('are one entry at first, and one for all others when the time is up', () => {
    expect([1, 2, 3, 4].map(() => damper.admits(refusal('A')))).toEqual([true, false, false, false]);
    jest.advanceTimersByTime(MINUTE);
    expect(told).toEqual([{ ...refusal('A'), detail: { times: 3 } }]);
    expect(damper.admits(refusal('A'))).toBe(true);
  });

  test('differ by who, what and to what', () => {
    expect([refusal('A'), refusal('B'), refusal('A', 'other')].map((each) => damper.admits(each))).toEqual([
      true,
      true,
      true,
    ]);
    jest.advanceTimersByTime(MINUTE);
    expect(told).toEqual([]);
  });

  test('are told when the host ends', () => {
    damper.admits(refusal('A'));
    damper.admits(refusal('A'));
    expect(damper.flush()).toEqual([{ ...refusal('A'), detail: { times: 1 } }]);
    jest.advanceTimersByTime(MINUTE);
    expect(told).toEqual([]);
  });

  test('of ever new subjects are alike from some number on, so that memory has an end', () => {
    const admitted = Array.from({ length: 3_000 }, (_, index) => damper.admits(refusal(`S-${index}`)));
    expect(admitted.filter(Boolean)).toHaveLength(1_001);
  });
});
