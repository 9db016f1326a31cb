import type { SimulatorFaults, SimulatorOptions, WebhookDelivery } from '../simulator';
import { limitBreaches } from './call-limit';
import { SimulatorFrame } from './simulator-frame';
import { jsonWithBareIds, type SimulatedReply, type SimulatedRequest } from './simulator-server';

/** The least that a simulator is: pushes one SKU, answers what is shown. */
class SmallSimulator extends SimulatorFrame {
  readonly pluginOptions = {};
  readonly wrongCredentials = {};

  constructor(options: Partial<SimulatorOptions> = {}) {
    super({ webhookSecret: 'unused', ...options });
  }

  webhookFor(orderId: string): WebhookDelivery {
    return { headers: {}, body: Buffer.from(JSON.stringify(this.order(orderId))) };
  }

  protected answer({ method, body, pretend }: SimulatedRequest): SimulatedReply {
    if (method === 'GET') return { status: 200, body: Object.fromEntries(this.shown()) };
    const item = this.shop.setQuantity({ channelSku: 'A', quantityUnits: Number(body.toString()) }, pretend);
    return { status: 200, body: item };
  }
}

let simulator: SmallSimulator | undefined;

afterEach(() => simulator?.close());

async function start(options: Partial<SimulatorOptions> = {}): Promise<SmallSimulator> {
  simulator = new SmallSimulator(options);
  await simulator.listen();
  simulator.list([{ channelSku: 'A', quantityUnits: 1 }]);
  return simulator;
}

interface Answered {
  status: number;
  text: string;
  retryAfter: string | null;
}

/** What a push of this quantity is answered; undefined where the connection broke. */
async function push(to: SmallSimulator, quantity: number): Promise<Answered | undefined> {
  try {
    const response = await fetch(`${to.url}/stock`, { method: 'PUT', body: String(quantity) });
    return {
      status: response.status,
      text: await response.text(),
      retryAfter: response.headers.get('retry-after'),
    };
  } catch {
    return undefined;
  }
}

describe('faults of the API', () => {
  test.each<[string, Partial<SimulatorFaults>, Partial<Answered> | undefined, shown: number]>([
    ['none', {}, { status: 200 }, 5],
    ['fail', { fail: 1 }, { status: 503 }, 1],
    ['throttle', { throttle: 1, retryAfter: '7' }, { status: 429, retryAfter: '7' }, 1],
    ['throttle without Retry-After', { throttle: 1, retryAfter: null }, { status: 429, retryAfter: null }, 1],
    ['html', { html: 1 }, { status: 200, text: expect.stringContaining('<!doctype html>') as string }, 1],
    ['lie', { lie: 1 }, { status: 200, text: expect.stringContaining('"quantityUnits":5') as string }, 1],
    ['loseAnswer', { loseAnswer: 1 }, undefined, 5],
  ])('%s', async (_, faults, answered, shown) => {
    const small = await start();
    small.faults(faults);
    const answer = await push(small, 5);
    if (answered === undefined) expect(answer).toBeUndefined();
    else expect(answer).toMatchObject(answered);
    expect(small.shown().get('A')).toBe(shown);
    expect(small.calls).toMatchObject([{ method: 'PUT', path: '/stock', status: answered?.status ?? 0 }]);
  });

  test('slow: applied at once, answered later', async () => {
    const small = await start();
    small.faults({ slow: 1, slowMs: 200 });
    const startedAt = Date.now();
    const answer = push(small, 5);
    while (small.shown().get('A') !== 5) await new Promise((resolve) => setTimeout(resolve, 5));
    const appliedAfterMs = Date.now() - startedAt;
    await answer;
    expect(Date.now() - startedAt - appliedAfterMs).toBeGreaterThan(100);
  });

  test('a fault that is not known is refused by name, for it would change nothing', async () => {
    const small = await start();
    expect(() => small.faults({ delayMs: 5 } as object)).toThrow(
      /no fault "delayMs"; it knows fail, throttle/,
    );
  });

  test('the same seed and the same calls misbehave the same way', async () => {
    const statuses: number[][] = [];
    for (const seed of [3, 3, 4]) {
      const small = await start({ seed });
      small.faults({ fail: 0.3, throttle: 0.2 });
      for (let call = 0; call < 40; call += 1) await push(small, call);
      statuses.push(small.calls.map(({ status }) => status));
      await small.close();
    }
    expect(statuses[1]).toEqual(statuses[0]);
    expect(statuses[2]).not.toEqual(statuses[0]);
    expect(new Set(statuses[0])).toEqual(new Set([200, 429, 503]));
  });
});

describe('outages', () => {
  test('unavailable answers 503 to every call, and applies none', async () => {
    const small = await start();
    small.outage('unavailable');
    expect(await push(small, 5)).toMatchObject({ status: 503 });
    expect(small.shown().get('A')).toBe(1);
    small.outage(null);
    expect(await push(small, 5)).toMatchObject({ status: 200 });
  });

  test('unreachable cuts connections, those that are kept open included', async () => {
    const small = await start();
    await push(small, 2);
    small.outage('unreachable');
    expect(await push(small, 5)).toBeUndefined();
    expect(small.calls).toHaveLength(1);
    small.outage(null);
    expect(await push(small, 5)).toMatchObject({ status: 200 });
  });
});

describe('limits', () => {
  const limit = { perSecond: 2, burst: 3 };
  const pushTen = (to: SmallSimulator) =>
    Promise.all(Array.from({ length: 10 }, (_, call) => push(to, call)));

  test('are enforced with 429, and what was refused is in the log', async () => {
    const small = await start({ limit });
    const answers = await pushTen(small);
    expect(answers.filter((answer) => answer?.status === 200)).toHaveLength(3);
    expect(answers.find((answer) => answer?.status === 429)).toMatchObject({ retryAfter: '1' });
    expect(limitBreaches(small.calls, limit)).toHaveLength(7);
  });

  test('are left to the log where they are not to be enforced', async () => {
    const small = await start({ limit: { ...limit, enforced: false } });
    expect((await pushTen(small)).map((answer) => answer?.status)).toEqual(Array(10).fill(200));
    expect(limitBreaches(small.calls, limit)).toHaveLength(7);
  });
});

describe('orders', () => {
  const placedAt = '2025-03-01T10:00:00.000Z';
  const order = { orderId: 'o', placedAt, lines: [{ lineId: 'l', channelSku: 'A', quantityUnits: 3 }] };

  test('cancelled units go back on sale only where the channel is one that does so', async () => {
    for (const restocksOnCancel of [false, true]) {
      const small = new SmallSimulator({ restocksOnCancel });
      small.list([{ channelSku: 'A', quantityUnits: 10 }]);
      small.placeOrder(order);
      small.cancelOrder('o', placedAt);
      expect(small.shown().get('A')).toBe(restocksOnCancel ? 10 : 7);
    }
  });

  test('stock by location is shown by location and in all, and orders take from their own', () => {
    const small = new SmallSimulator({ locations: ['here', 'there'] });
    for (const channelLocation of small.locations)
      small.list([{ channelSku: 'A', channelLocation, quantityUnits: 10 }]);
    small.placeOrder({ ...order, lines: [{ ...order.lines[0]!, channelLocation: 'there' }] });
    expect([small.shown('here'), small.shown('there'), small.shown()].map((shown) => shown.get('A'))).toEqual(
      [10, 7, 17],
    );
  });
});

test('long ids lose their quotes in JSON, and nothing else does', () => {
  const value = {
    id: '820982911946154508',
    list: ['9007199254740993', 'x'],
    '9007199254740993': 1,
    ean: '4006381333931',
    text: 'said: "820982911946154508", twice',
    padded: '0820982911946154',
  };
  const json = jsonWithBareIds(value);
  expect(json).toContain('"id":820982911946154508');
  expect(json).toContain('"list":[9007199254740993,"x"]');
  const { id: _, list: __, ...others } = value;
  expect(JSON.parse(json)).toMatchObject(others);
});
