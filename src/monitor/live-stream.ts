import type { Response } from 'express';

/** Proxies close what says nothing for a minute, and a browser should know soon when the host is gone. */
const PING_MS = 15_000;
/** Then the browser connects again, and whether it may still listen is looked at anew. */
const LIFE_MS = 300_000;

/** One browser that listens: server-sent events over its open answer. */
export class LiveStream {
  private readonly ping: NodeJS.Timeout;
  private readonly life: NodeJS.Timeout;

  constructor(private readonly response: Response) {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx would keep events back to send them together.
      'x-accel-buffering': 'no',
    });
    // How long a browser waits before it connects again.
    response.write('retry: 2000\n\n');
    this.ping = setInterval(() => this.write(': ping\n\n'), PING_MS).unref();
    this.life = setTimeout(() => this.end(), LIFE_MS).unref();
  }

  /** Left out for a browser that does not read: what it misses it is told with the next one. */
  send(event: string, data: unknown): boolean {
    return this.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    clearInterval(this.ping);
    clearTimeout(this.life);
    this.response.end();
  }

  private write(text: string): boolean {
    if (this.response.writableNeedDrain || this.response.writableEnded) return false;
    this.response.write(text);
    return true;
  }
}
