import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A webhook as it came in. */
export interface ReceivedWebhook {
  id: string;
  headers: IncomingMessage['headers'];
  body: string;
  event: { type: string; timestamp: string; data: Record<string, unknown> };
}

/** What the receiver does with a webhook; absent, it answers 204. */
export type Behaviour = (request: ReceivedWebhook, response: ServerResponse) => void;

/** A user's own system, listening on a free port and noting every webhook before it answers. */
export class WebhookReceiver {
  readonly received: ReceivedWebhook[] = [];
  /** Webhooks that came in while another of the same id was not yet answered. */
  readonly doubles: string[] = [];
  behaviour: Behaviour = answers(204);
  private readonly open = new Set<string>();

  private constructor(private readonly server: Server) {}

  static async start(port = 0): Promise<WebhookReceiver> {
    const server = createServer((request, response) => void receiver.take(request, response));
    const receiver = new WebhookReceiver(server);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hooks/canary-path-token`;
  }

  /** Those of an event's type, oldest first. */
  of(type: string): ReceivedWebhook[] {
    return this.received.filter(({ event }) => event.type === type);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const id = String(request.headers['webhook-id']);
    const webhook = {
      id,
      headers: request.headers,
      body,
      event: JSON.parse(body) as ReceivedWebhook['event'],
    };
    if (this.open.has(id)) this.doubles.push(id);
    this.open.add(id);
    response.on('close', () => this.open.delete(id));
    this.received.push(webhook);
    this.behaviour(webhook, response);
  }
}

export function answers(status: number, headers: Record<string, string> = {}): Behaviour {
  return (_request, response) => response.writeHead(status, headers).end();
}

/**
 * As docs/events.md tells consumers to check: HMAC-SHA256 over `id.timestamp.body` with the bytes of one of the
 * secrets, compared in constant time, and a timestamp of the last five minutes. With node:crypto alone.
 */
export function isSigned(
  { headers, body }: Pick<ReceivedWebhook, 'headers' | 'body'>,
  secret: string,
): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key)
    .update(`${String(id)}.${String(timestamp)}.${body}`)
    .digest();
  return String(signatures)
    .split(' ')
    .filter((each) => each.startsWith('v1,'))
    .map((each) => Buffer.from(each.slice(3), 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}
