import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createChannelHttp } from '../channel-api';
import { CallDeadline } from './call-deadline';

const clock = {
  now: () => new Date(),
  sleep: async (delayMs: number) => {
    await sleep(delayMs);
  },
};
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

describe('a call that waits for its turn', () => {
  const received: string[] = [];
  const server = createServer((request, response) => {
    received.push(request.url!);
    response.end('{}');
  });
  let base: string;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => received.splice(0));
  afterAll(() => server.close());

  /** Two calls at once, the second of which waits 100 ms for its token. */
  const twoCalls = (deadline: CallDeadline) => {
    const limits = [{ name: 'all', perSecond: 10, burst: 1 }];
    const http = createChannelHttp({ limits, clock, log, beforeSend: () => deadline.assertInTime() });
    return () =>
      Promise.allSettled(['/1', '/2'].map((path) => http.request({ method: 'GET', url: base + path })));
  };

  test('is sent before the deadline', async () => {
    const deadline = new CallDeadline();
    const answers = await deadline.run(performance.now() + 5_000, twoCalls(deadline));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(received).toEqual(['/1', '/2']);
  });

  test('is not sent after it, and says so as an error that may be tried again', async () => {
    const deadline = new CallDeadline();
    const [first, second] = await deadline.run(performance.now() + 50, twoCalls(deadline));
    expect(first).toMatchObject({ status: 'fulfilled' });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'too-late', retryable: true } });
    expect(received).toEqual(['/1']);
  });

  test('is free of the deadline once the call that it was for has come back', async () => {
    const deadline = new CallDeadline();
    const calls = twoCalls(deadline);
    await deadline.run(performance.now() + 50, calls);
    expect(deadline.busy).toBe(false);
    await sleep(100);
    expect((await calls()).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  });

  test('stays bound by it while the call that it was for has not come back', async () => {
    const deadline = new CallDeadline();
    const calls = twoCalls(deadline);
    void deadline.run(performance.now() - 1, () => new Promise(() => undefined));
    expect(deadline.busy).toBe(true);
    expect((await calls()).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(received).toEqual([]);
  });

  test('stays bound by it beside a later one, which is refused as long as the first has not come back', async () => {
    const deadline = new CallDeadline();
    const calls = twoCalls(deadline);
    let comeBack = () => undefined as void;
    const first = deadline.run(performance.now() - 1, () => new Promise<void>((done) => (comeBack = done)));
    const second = deadline.run(performance.now() + 5_000, () => Promise.resolve());
    await expect(second).rejects.toMatchObject({ code: 'too-late', retryable: true });
    // A row that the first has yet to send says what another worker may have said anew.
    expect((await calls()).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(received).toEqual([]);
    comeBack();
    await first;
    await deadline.run(performance.now() + 5_000, calls);
    expect(received).toEqual(['/1', '/2']);
  });
});
