import type { OrderDocument } from '../../src/channel-api';
import type { SeededRandom } from '../../src/replay/random';
import type { Moments } from './moments';
import { type Shop, signatureOf } from './shop';
import type { Owner, Timeline } from './timeline';

/** What is wrong between hosts and one shop. */
export interface Line {
  /** Answers that never come, though the connection stands. */
  swallow: number;
  loseAnswers: number;
  pages: number;
  slowUntilMs: number;
  slowByMs: number;
  /** What befalls the next webhooks, one each. */
  webhooks: ({ lose: true } | { byMs: number } | { times: number })[];
}

export interface Delivery {
  shop: Shop;
  body: Buffer;
}

/** A sender tries again after so long each time, and then gives up: the poll is to find what it told of. */
const TRIES_AFTER_MS = [1_000, 3_000, 8_000, 20_000, 40_000];
/** Longest that a sender waits for its answer. */
const ANSWER_WITHIN_MS = 5_000;

/** The wires between hosts and shops, which lose, repeat, delay and reorder what goes over them. */
export class Network {
  readonly lines = new Map<string, Line>();
  /** Bodies that were answered 2xx. */
  readonly acknowledged: Delivery[] = [];

  /** Probes under way, and whose they are. */
  private readonly probes = new Map<string, Owner[]>();
  /** Webhooks on their way. */
  private underWay = 0;

  constructor(
    private readonly timeline: Timeline,
    private readonly moments: Moments,
    private readonly random: SeededRandom,
    private readonly shops: ReadonlyMap<string, Shop>,
    private readonly post: (delivery: Delivery, answered: (status: number) => void) => void,
    private readonly violate: (invariant: string, message: string) => void,
  ) {
    for (const name of shops.keys()) this.repair(name);
  }

  repair(name: string): void {
    this.lines.set(name, { swallow: 0, loseAnswers: 0, pages: 0, slowUntilMs: 0, slowByMs: 0, webhooks: [] });
  }

  get isBusy(): boolean {
    return this.underWay > 0;
  }

  /** The hosts' `fetch`. */
  fetch(url: URL, init: RequestInit): Promise<Response> {
    const { timeline } = this;
    const owner = timeline.current;
    const name = url.hostname.replace(/\.test$/, '');
    const shop = this.shops.get(name)!;
    const sentAtMs = timeline.nowMs;
    const claimEndsAtMs = owner!.claimEndsAtMs(name);
    if (url.pathname === '/check') this.beginProbe(name, owner!);
    this.moments.reached(owner, 'call');
    return new Promise((...settle: [(response: Response) => void, (error: Error) => void]) => {
      const [resolve, reject] = url.pathname === '/check' ? this.endingProbe(name, owner!, settle) : settle;
      const { signal } = init;
      signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      timeline.in(this.latencyMs(name), null, '', () => {
        const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
        const request = { method: init.method!, path: url.pathname, query: url.searchParams, body };
        // What was sent under a claim may come after it: a host that stands still does not even give it up.
        const isOutlived = sentAtMs < claimEndsAtMs && claimEndsAtMs <= timeline.nowMs;
        const isGivenUp = signal?.aborted === true || owner!.isDead || isOutlived;
        const reply = shop.handle(request, sentAtMs, isGivenUp);
        timeline.note(
          `${name} answers ${request.method} ${url.pathname} ${reply.status}${brief(body)}`,
          null,
        );
        this.answer(name, reply, owner, { resolve, reject });
      });
    });
  }

  /** A channel that is away is asked by one host at a time whether it is back. */
  private beginProbe(name: string, owner: Owner): void {
    const others = (this.probes.get(name) ?? []).filter(({ isDead }) => !isDead);
    if (others.length > 0)
      this.violate('breaker', `${name} is probed by ${owner.name} while ${others[0]!.name} probes it`);
    this.probes.set(name, [...others, owner]);
  }

  private endingProbe<T extends ((given: never) => void)[]>(name: string, owner: Owner, settle: T): T {
    return settle.map((each) => (given: never) => {
      this.probes.set(
        name,
        this.probes.get(name)!.filter((other) => other !== owner),
      );
      each(given);
    }) as T;
  }

  /** News of an order, on its way to whichever host is there. */
  tell(shop: Shop, order: OrderDocument): void {
    if (!shop.traits.sendsWebhooks) return;
    const wrong = this.lines.get(shop.traits.name)!.webhooks.shift();
    if (wrong && 'lose' in wrong) return;
    const body = Buffer.from(JSON.stringify(order));
    const times = wrong && 'times' in wrong ? wrong.times : 1;
    const lateMs = wrong && 'byMs' in wrong ? wrong.byMs : 0;
    for (let copy = 0; copy < times; copy++)
      this.deliver({ shop, body }, lateMs + this.random.next() * 300, 0);
  }

  /** Signed as it should be, and yet nothing that the shop documents. */
  poison(shop: Shop): void {
    const body = Buffer.from(JSON.stringify({ poison: true, at: this.timeline.nowMs }));
    this.deliver({ shop, body }, 10, 0);
  }

  private deliver(delivery: Delivery, delayMs: number, tried: number): void {
    this.underWay++;
    this.timeline.in(delayMs, null, `${delivery.shop.traits.name} sends a webhook`, () => {
      let isOver = false;
      const over = (status: number) => {
        if (isOver) return;
        isOver = true;
        this.underWay--;
        if (status >= 200 && status < 300) this.acknowledged.push(delivery);
        else if (tried < TRIES_AFTER_MS.length) this.deliver(delivery, TRIES_AFTER_MS[tried]!, tried + 1);
      };
      this.timeline.in(ANSWER_WITHIN_MS, null, '', () => over(0));
      this.post(delivery, over);
    });
  }

  private answer(
    name: string,
    reply: { status: number; json?: unknown; headers?: Record<string, string> },
    owner: Owner | null,
    { resolve, reject }: { resolve(response: Response): void; reject(error: Error): void },
  ): void {
    const line = this.lines.get(name)!;
    const delayMs = this.latencyMs(name);
    if (line.loseAnswers > 0) {
      line.loseAnswers--;
      this.timeline.in(delayMs, owner, `${name}: the answer is lost`, () => {
        reject(Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET' } }));
      });
      return;
    }
    if (line.swallow > 0) {
      line.swallow--;
      return;
    }
    const isPage = line.pages > 0;
    if (isPage) line.pages--;
    this.timeline.in(delayMs, owner, `${name}: the answer is here`, () => {
      const headers = { ...reply.headers, 'content-type': isPage ? 'text/html' : 'application/json' };
      const text = isPage ? '<html>be right back</html>' : JSON.stringify(reply.json ?? {});
      resolve(responseOf(isPage ? 200 : reply.status, headers, text));
    });
  }

  private latencyMs(name: string): number {
    const { slowUntilMs, slowByMs } = this.lines.get(name)!;
    return 5 + this.random.next() * 40 + (this.timeline.nowMs < slowUntilMs ? slowByMs : 0);
  }
}

/** What of a `Response` the host's HTTP client reads. The platform's own would wait for the event loop. */
function responseOf(status: number, headers: Record<string, string>, text: string): Response {
  const body = {
    async *[Symbol.asyncIterator]() {
      yield Buffer.from(text);
    },
  };
  return { status, headers: new Headers(headers), body } as unknown as Response;
}

function brief(body: unknown): string {
  return body === undefined
    ? ''
    : ` ${JSON.stringify(body)
        .replace(/"pushId":"[^"]*",?/g, '')
        .slice(0, 120)}`;
}

export function webhookRequest({ shop, body }: Delivery): object {
  return {
    method: 'POST',
    originalUrl: `/webhooks/${shop.traits.name}`,
    headersDistinct: { 'x-signature': [signatureOf(body)] },
    body,
  };
}
