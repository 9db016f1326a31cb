import type { SimulatorFaults, WebhookAttempt, WebhookDelivery } from '../simulator';
import type { FaultDice } from './fault-dice';

/** A minute in all: what a marketplace stretches over hours, shortened for tests. */
const RETRY_MS: readonly number[] = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];
const ANSWER_WITHIN_MS = 5_000;
const MOST_IN_FLIGHT = 32;
/** A webhook held back goes out at the latest then, though nothing came after it. */
const HELD_AT_MOST_MS = 300;

interface HeldWebhook {
  release: () => void;
  /** Later webhooks that have to go out first. */
  behind: number;
}

/** Sends a channel's webhooks as a marketplace does: again until they are taken, and not always once or in order. */
export class WebhookDeliverer {
  readonly attempts: WebhookAttempt[] = [];
  private url: string | null = null;
  private open = 0;
  private inFlight = 0;
  private readonly ready: (() => void)[] = [];
  private readonly held = new Set<HeldWebhook>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly waiting: (() => void)[] = [];
  private readonly closed = new AbortController();

  constructor(
    private readonly dice: FaultDice,
    private readonly faults: () => SimulatorFaults,
    private readonly retryMs: readonly number[] = RETRY_MS,
  ) {}

  get isUsed(): boolean {
    return this.url !== null;
  }

  deliverTo(url: string | null): void {
    this.url = url;
  }

  /** Takes a webhook as it stands now; however late it goes out, it says the same. */
  send(webhook: WebhookDelivery, url = this.url): void {
    const { drop, duplicate, reorder, delay, delayUpToMs } = this.faults();
    if (url === null || this.closed.signal.aborted || this.dice.draw(drop)) return;
    this.releaseHeld();
    const copies = this.dice.draw(duplicate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const start = () => this.enqueue(() => this.attempt(url, webhook, 1));
      this.open += 1;
      if (this.dice.draw(reorder)) this.hold(start);
      else if (this.dice.draw(delay)) this.later(start, this.dice.upTo(delayUpToMs));
      else start();
    }
  }

  delivered(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.tellIfDone();
    });
  }

  /** Gives up on whatever is still to be sent. */
  close(): void {
    this.url = null;
    this.closed.abort();
    for (const timer of this.timers) clearTimeout(timer);
    this.open = 0;
    this.tellIfDone();
  }

  private hold(start: () => void): void {
    const held: HeldWebhook = {
      behind: 1 + Math.floor(this.dice.upTo(4)),
      release: () => {
        if (this.held.delete(held)) start();
      },
    };
    this.held.add(held);
    this.later(held.release, HELD_AT_MOST_MS);
  }

  private releaseHeld(): void {
    for (const held of this.held) {
      held.behind -= 1;
      // After the webhook that is just about to go out.
      if (held.behind <= 0) setImmediate(held.release);
    }
  }

  private enqueue(run: () => Promise<void>): void {
    this.ready.push(() => {
      this.inFlight += 1;
      void run().finally(() => {
        this.inFlight -= 1;
        this.ready.shift()?.();
      });
    });
    if (this.inFlight < MOST_IN_FLIGHT) this.ready.shift()?.();
  }

  private async attempt(url: string, webhook: WebhookDelivery, attempt: number): Promise<void> {
    const at = Date.now();
    const status = await this.post(url, webhook);
    if (this.closed.signal.aborted) return;
    this.attempts.push({ at, attempt, status });
    const retryMs = this.retryMs[attempt - 1];
    if ((status >= 200 && status < 300) || retryMs === undefined) {
      this.open -= 1;
      this.tellIfDone();
      return;
    }
    this.later(() => this.enqueue(() => this.attempt(url, webhook, attempt + 1)), retryMs);
  }

  /** The status, or 0 where there was no answer in time. */
  private async post(url: string, { headers, body }: WebhookDelivery): Promise<number> {
    try {
      const signal = AbortSignal.any([this.closed.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body: new Uint8Array(body),
        redirect: 'manual',
        signal,
      });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return 0;
    }
  }

  private later(run: () => void, delayMs: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      run();
    }, delayMs);
    this.timers.add(timer);
  }

  private tellIfDone(): void {
    if (this.open > 0) return;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
