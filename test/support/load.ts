import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { WebhookDelivery } from '../../src/channel-api';
import { ADMIN_KEY } from './host';
import { signedWebhook } from './shop-host';

/** What became of one request, as its sender saw it. `status` 0: no whole answer came, for the reason given. */
export interface Sent {
  kind: 'reservation' | 'webhook';
  /** The idempotency key, or the order's id. */
  key: string;
  status: number;
  body: string;
  failure?: string;
  startedAt: number;
}

/** The sender's own list of what it was answered, kept outside of the host so that it survives any kill. */
export class Load {
  readonly sent: Sent[] = [];
  private stopped = false;
  private running: Promise<void>[] = [];

  /** Reservations carry `lines` of this SKU, webhooks orders of this channel SKU; one unit each. */
  constructor(
    private readonly sku: string,
    private readonly channelSku: string,
  ) {}

  /** So many senders, each one request after the other. With `keepAlive` they hold on to their connections. */
  start(url: string, senders: number, { keepAlive = true } = {}): void {
    this.stopped = false;
    const agent = new Agent({ keepAlive });
    this.running = Array.from({ length: senders }, async (_, sender) => {
      while (!this.stopped) {
        const one = sender % 2 === 0 ? await this.reserve(url, agent) : await this.deliver(url, agent);
        this.sent.push(one);
        // A host that is gone would be asked thousands of times.
        if (one.status === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  answered(kind: Sent['kind']): Sent[] {
    return this.sent.filter((each) => each.kind === kind && each.status >= 200 && each.status < 300);
  }

  private reserve(url: string, agent: Agent): Promise<Sent> {
    const key = randomUUID();
    return send('reservation', key, `${url}/v1/reservations`, agent, {
      headers: reservationHeaders(key),
      body: Buffer.from(JSON.stringify(reservationBody(this.sku))),
    });
  }

  private deliver(url: string, agent: Agent): Promise<Sent> {
    const key = randomUUID();
    const lines = [{ id: 'L', sku: this.channelSku, ordered: 1 }];
    const order = { id: key, revision: 1, placed_at: '2024-05-01T10:00:00Z', lines };
    return send('webhook', key, `${url}/webhooks/shop`, agent, signedWebhook(order));
  }
}

export function reservationBody(sku: string): object {
  return { lines: [{ sku, quantity: 1 }] };
}

function reservationHeaders(key: string): Record<string, string> {
  return { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}`, 'idempotency-key': key };
}

/** Never rejects: a connection that breaks is an outcome. An answer counts only when its body came whole. */
function send(
  kind: Sent['kind'],
  key: string,
  url: string,
  agent: Agent,
  { headers, body }: WebhookDelivery,
): Promise<Sent> {
  const startedAt = Date.now();
  return new Promise((resolve) => {
    const ended = (status: number, text: string, failure?: string) =>
      resolve({ kind, key, status, body: text, startedAt, ...(failure && { failure }) });
    const outgoing = request(url, {
      method: 'POST',
      agent,
      headers: { ...headers, 'content-length': body.length },
    });
    outgoing.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', (error: NodeJS.ErrnoException) => ended(0, text, `cut off: ${error.code}`));
      response.on('end', () => ended(response.complete ? response.statusCode! : 0, text));
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => ended(0, '', error.code ?? error.message));
    outgoing.end(body);
  });
}
