import { createHash, randomUUID } from 'node:crypto';
import type { FaultDice, SimulatorFaults } from 'onhand/channel-api';

export interface QueuedMessage {
  messageId: string;
  body: string;
  md5: string;
  sentMs: number;
  receiveCount: number;
}

/** A message as one receiver has it, until its visibility ends. */
export interface ReceivedMessage {
  message: QueuedMessage;
  receiptHandle: string;
}

interface InFlight {
  message: QueuedMessage;
  visibleAtMs: number;
}

/**
 * A standard queue: each message at least once, in no certain order. What is received is out of sight for a
 * while, and comes back unless it is deleted.
 */
export class MessageQueue {
  /** In no order that matters: messages are taken from anywhere. */
  private readonly ready: QueuedMessage[] = [];
  private readonly inFlight = new Map<string, InFlight>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private waiting: (() => void)[] = [];

  constructor(
    private readonly dice: FaultDice,
    private readonly faults: () => Pick<
      SimulatorFaults,
      'duplicate' | 'reorder' | 'delay' | 'delayUpToMs' | 'drop'
    >,
  ) {}

  /** Messages to be received, now or once they are visible again. */
  get size(): number {
    return this.ready.length + this.inFlight.size + this.timers.size;
  }

  get counts(): { visible: number; inFlight: number; delayed: number } {
    this.showAgain();
    return { visible: this.ready.length, inFlight: this.inFlight.size, delayed: this.timers.size };
  }

  /** Sends it as the faults in force have it: twice, late, or never. */
  send(body: string): void {
    const { duplicate, delay, delayUpToMs, drop } = this.faults();
    if (this.dice.draw(drop)) return;
    const copies = this.dice.draw(duplicate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (this.dice.draw(delay)) this.later(body, this.dice.upTo(delayUpToMs));
      else this.put(body);
    }
  }

  /** Takes up to `most` messages out of sight; waits up to `waitMs` for the first. */
  async receive(most: number, visibilityMs: number, waitMs: number): Promise<ReceivedMessage[]> {
    const untilMs = Date.now() + waitMs;
    for (;;) {
      this.showAgain();
      const leftMs = untilMs - Date.now();
      if (this.ready.length > 0 || leftMs <= 0) return this.take(most, visibilityMs);
      await this.nextSent(Math.min(leftMs, this.untilVisibleMs()));
    }
  }

  /** Deletes what was received under this handle; nothing happens where that is gone. */
  delete(receiptHandle: string): void {
    this.inFlight.delete(receiptHandle);
  }

  /** Sends nothing more that was to come late, and lets nobody wait. */
  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.wake();
  }

  private put(body: string): void {
    const md5 = createHash('md5').update(body).digest('hex');
    const message = { messageId: randomUUID(), body, md5, sentMs: Date.now(), receiveCount: 0 };
    this.ready.push(message);
    // Anywhere among the others, where a message is out of order.
    if (this.dice.draw(this.faults().reorder)) {
      const place = Math.floor(this.dice.upTo(this.ready.length));
      this.ready[this.ready.length - 1] = this.ready[place] as QueuedMessage;
      this.ready[place] = message;
    }
    this.wake();
  }

  private take(most: number, visibilityMs: number): ReceivedMessage[] {
    const visibleAtMs = Date.now() + visibilityMs;
    return this.ready.splice(0, most).map((message) => {
      message.receiveCount += 1;
      const receiptHandle = randomUUID();
      this.inFlight.set(receiptHandle, { message, visibleAtMs });
      return { message, receiptHandle };
    });
  }

  private showAgain(): void {
    const nowMs = Date.now();
    for (const [handle, { message, visibleAtMs }] of this.inFlight) {
      if (visibleAtMs > nowMs) continue;
      this.inFlight.delete(handle);
      this.ready.push(message);
    }
  }

  private untilVisibleMs(): number {
    const nowMs = Date.now();
    return Math.max(
      1,
      Math.min(...[...this.inFlight.values()].map(({ visibleAtMs }) => visibleAtMs - nowMs)),
    );
  }

  private later(body: string, delayMs: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.put(body);
    }, delayMs);
    this.timers.add(timer);
  }

  private nextSent(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
