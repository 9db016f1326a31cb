import type { RateLimit } from '../channel-api';
import { newLimitState, take } from '../channel-api/limit-state';
import { limitLevel } from './limit-levels';

const NOW = Date.parse('2026-11-20T10:00:00Z');
const BUCKET: RateLimit = { name: 'api', perSecond: 10, burst: 40 };

describe('the level of a limit', () => {
  test('a limit that no call has used is full', () => {
    const level = limitLevel(BUCKET, { state: null, usedAt: new Date(NOW), nowMs: NOW });
    expect(level).toMatchObject({
      kind: 'bucket',
      left: 40,
      most: 40,
      underWay: 0,
      perSecond: 10,
      usedAt: null,
    });
  });

  test('what calls took is gone, what they hold is under way, and time refills it', () => {
    const state = newLimitState(BUCKET, NOW);
    take(BUCKET, state, 'host', { units: 30, until: NOW + 60_000 });
    const kept = { usedAt: new Date(NOW), nowMs: NOW };
    expect(limitLevel(BUCKET, { ...kept, state: structuredClone(state) })).toMatchObject({
      left: 10,
      underWay: 30,
    });
    state.held = {};
    expect(limitLevel(BUCKET, { ...kept, state, nowMs: NOW + 1_000 })).toMatchObject({
      left: 19,
      underWay: 0,
    });
  });

  test('after a 429 it says for how long nothing is sent', () => {
    const state = { ...newLimitState(BUCKET, NOW), closedAt: NOW, closedForMs: 30_000 };
    expect(limitLevel(BUCKET, { state, usedAt: null, nowMs: NOW + 10_000 }).closedForSeconds).toBe(20);
  });

  test('what the channel said counts before what its plugin declares', () => {
    const limit: RateLimit = { kind: 'daily', name: 'daily', quota: 100, resetsAtUtc: '07:00' };
    const state = { ...newLimitState(limit, NOW), learned: { quota: 250, resetsAtUtc: '08:00' } };
    const level = limitLevel(limit, { state, usedAt: null, nowMs: NOW });
    expect(level).toMatchObject({ left: 250, most: 250, perSecond: null, resetsAtUtc: '08:00' });
  });
});
