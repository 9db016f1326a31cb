import type { Channel, ChannelCapabilities, ChannelHost, ChannelPlugin } from '../channel-api';
import { connectPlugin, reasonOf, withinTime } from './plugin-calls';

const NEVER = new Promise<never>(() => undefined);

describe('waiting for a plugin', () => {
  test('gives what it answers, and what it throws', async () => {
    const limit = { ms: 1_000, exceeded: 'too slow' };
    expect(await withinTime(Promise.resolve(1), limit)).toBe(1);
    await expect(withinTime(Promise.reject(new Error('no')), limit)).rejects.toThrow('no');
  });

  test('ends after its time, and hands over what comes later', async () => {
    let answer = (_value: number): void => undefined;
    const late: number[] = [];
    const call = new Promise<number>((resolve) => (answer = resolve));
    const limit = {
      ms: 20,
      exceeded: 'the plugin x does not connect',
      late: (value: number) => late.push(value),
    };
    await expect(withinTime(call, limit)).rejects.toThrow(
      'the plugin x does not connect within 0.02 seconds',
    );
    answer(7);
    await call;
    expect(late).toEqual([7]);
  });

  test('what fails after its time is not an unhandled rejection', async () => {
    let fail = (_error: Error): void => undefined;
    const call = new Promise<number>((_, reject) => (fail = reject));
    await expect(withinTime(call, { ms: 1, exceeded: 'slow' })).rejects.toThrow('slow');
    fail(new Error('later'));
    await new Promise((resolve) => setImmediate(resolve));
  });

  test('what answered in time is not handed over', async () => {
    const late = jest.fn();
    await withinTime(Promise.resolve(1), { ms: 10, exceeded: 'slow', late });
    expect(late).not.toHaveBeenCalled();
    await expect(withinTime(NEVER, { ms: 1, exceeded: 'slow', late })).rejects.toThrow();
    expect(late).not.toHaveBeenCalled();
  });
});

test.each([
  [new Error('the shop is closed'), 'the shop is closed'],
  [{ message: 'of another realm' }, 'of another realm'],
  ['just text', 'just text'],
  [undefined, 'it threw undefined instead of an error'],
  [null, 'it threw null instead of an error'],
  [{ reason: 'odd' }, 'it threw {"reason":"odd"} instead of an error'],
  [Object.create(null), 'it threw {} instead of an error'],
  [new Error(''), 'it threw {} instead of an error'],
  [{ message: 5, self: 1n }, 'it threw a value of type object instead of an error'],
])('what was thrown is put into words: %p', (thrown, words) => {
  expect(reasonOf(thrown)).toBe(words);
});

describe('connecting', () => {
  const capabilities: ChannelCapabilities = {
    pushBatchSize: 1,
    pushAnswers: 'applied',
    compareAndSet: false,
    stockByLocation: false,
    readsOrders: false,
    cancelsOrders: true,
    subscribesWebhooks: true,
  };
  const whole = Object.fromEntries(
    [
      ...['pushInventory', 'readInventory', 'readOrders', 'verifyWebhook', 'translateWebhook', 'check'],
      ...['cancelOrder', 'subscribe'],
    ].map((member) => [member, () => undefined]),
  );

  const connect = (connected: unknown) => {
    const plugin = { name: 'own', connect: () => connected, capabilities: () => capabilities };
    return connectPlugin(plugin as unknown as ChannelPlugin, {}, {} as ChannelHost, () => undefined);
  };

  test('gives a channel that has all its members', async () => {
    expect(await connect(whole)).toBe(whole as unknown as Channel);
  });

  test.each([
    ['nothing', undefined, /without pushInventory, readInventory, /],
    [
      'a channel without check',
      { ...whole, check: undefined },
      /the plugin own connects a channel without check;/,
    ],
    [
      'a channel that cannot do what it promises',
      { ...whole, cancelOrder: 1, subscribe: null },
      /without cancelOrder, subscribe;/,
    ],
  ])('%s is refused, with what is missing', async (_, connected, says) => {
    await expect(connect(connected)).rejects.toThrow(says);
  });
});
