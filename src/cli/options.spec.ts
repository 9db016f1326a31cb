import { parseDuration, parseFactor, parseSeed, parseShare } from './options';

test.each([
  ['60s', 60_000],
  ['5m', 300_000],
  ['250ms', 250],
  ['1.5h', 5_400_000],
  ['60', 60_000],
  ['0', 0],
])('the time %s is %i ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each(['', '-1s', '5 days', '13h', 's'])('the time %j is refused with an example', (text) => {
  expect(() => parseDuration(text)).toThrow(/such as 60s or 5m/);
});

test('shares are from 0 to 1, factors from 0, seeds whole', () => {
  expect([parseShare('0.1'), parseFactor('0.8'), parseSeed('42')]).toEqual([0.1, 0.8, 42]);
  expect(() => parseShare('1.1')).toThrow(/share from 0 to 1/);
  expect(() => parseFactor('-1')).toThrow(/number from 0/);
  expect(() => parseSeed('1.5')).toThrow(/whole number/);
});
