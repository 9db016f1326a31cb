import { ChannelThrottledError } from './errors';
import { createChannelHttp } from './fetch-http';
import type { ChannelHttp, ChannelHttpRequest, KeyedLimit } from './http-client';

const DAY_MS = 86_400_000;
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let nowMs = 0;
let sent: string[] = [];
let status = 200;

function shop(): ChannelHttp {
  [nowMs, sent, status] = [Date.UTC(2025, 0, 1), [], 200];
  return createChannelHttp({
    limits: [
      { name: 'calls', perSecond: 100, burst: 100 },
      { kind: 'rolling', name: 'changes', quota: 3, windowSeconds: 86_400 },
    ],
    clock: { now: () => new Date(nowMs), sleep: async (delayMs) => void (nowMs += delayMs) },
    log: quiet,
    fetch: async (url) => {
      sent.push((url as URL).pathname);
      return new Response('{}', { status });
    },
  });
}

function change(http: ChannelHttp, ...limits: KeyedLimit[]) {
  const request: ChannelHttpRequest = { method: 'POST', url: 'https://shop.example/change' };
  return http.request({ ...request, limit: ['calls', ...limits] });
}

const of = (key: string, keep?: number): KeyedLimit => ({ name: 'changes', key, ...(keep && { keep }) });

async function refusalOf(call: Promise<unknown>): Promise<ChannelThrottledError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ChannelThrottledError);
  return error as ChannelThrottledError;
}

test('each key has the whole quota, and is full again after the window', async () => {
  const http = shop();
  for (let call = 0; call < 3; call += 1) await change(http, of('a'), of('b'));
  const refused = await refusalOf(change(http, of('a')));
  expect(refused.message).toContain('the quota "changes#a" is used up');
  await change(http, of('c'));
  expect(sent).toHaveLength(4);
  nowMs += refused.retryAfterMs!;
  await change(http, of('a'));
  expect(refused.retryAfterMs).toBeGreaterThanOrEqual(DAY_MS);
});

test('a refusal names every key that is used up, and takes nothing of the others', async () => {
  const http = shop();
  for (let call = 0; call < 3; call += 1) await change(http, of('a'), of('b'));
  const refused = await refusalOf(change(http, of('a'), of('b'), of('c')));
  expect(refused.usedUp.map(({ name, key }) => [name, key])).toEqual([
    ['changes', 'a'],
    ['changes', 'b'],
  ]);
  for (let call = 0; call < 3; call += 1) await change(http, of('c'));
  expect(sent).toHaveLength(6);
});

test('what is kept is left for calls that keep nothing, however many went before', async () => {
  const http = shop();
  await change(http, of('a'));
  await change(http, of('a', 1));
  expect((await refusalOf(change(http, of('a', 1)))).usedUp).toHaveLength(1);
  await change(http, of('a'));
  await refusalOf(change(http, of('a')));
  expect(sent).toHaveLength(3);
});

test('a 429 says nothing of what is counted by key', async () => {
  const http = shop();
  status = 429;
  await refusalOf(change(http, of('a')));
  status = 200;
  await http.request({ method: 'POST', url: 'https://shop.example/change', limit: of('a') });
  expect(sent).toHaveLength(2);
});

test('a key that a call names twice is taken of twice', async () => {
  const http = shop();
  await change(http, of('a'), of('a'));
  await refusalOf(change(http, of('a'), of('a')));
  await change(http, of('a'));
  expect(sent).toHaveLength(2);
});

test('a 5xx that is an answer is answered, and any other is unavailability', async () => {
  const http = shop();
  status = 500;
  const url = 'https://shop.example/change';
  const answered = await http.request({ method: 'POST', url, answers: (_, text) => text === '{}' });
  expect(answered.status).toBe(500);
  for (const answers of [undefined, () => false])
    await expect(http.request({ method: 'POST', url, ...(answers && { answers }) })).rejects.toMatchObject({
      code: 'channel-unavailable',
    });
});
