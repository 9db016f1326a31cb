import { Webhook } from 'standardwebhooks';
import type { HttpSender } from './http-sender';
import type { Outcome, Outgoing, Sender } from './sender';

/**
 * Standard Webhooks (https://www.standardwebhooks.com): the id stays the same for every attempt, the timestamp is
 * the attempt's, and every secret signs, so that one can replace another without a moment in which neither fits.
 */
export class WebhookSender implements Sender {
  readonly atOnce = 8;
  private readonly signers: Webhook[];

  constructor(
    private readonly http: HttpSender,
    secrets: readonly string[],
  ) {
    this.signers = secrets.map((secret) => new Webhook(secret));
  }

  send(deliveries: readonly Outgoing[]): Promise<Outcome[]> {
    return Promise.all(deliveries.map(({ id, body }) => this.http.post(body, this.headersOf(id, body))));
  }

  close(): Promise<void> {
    return this.http.close();
  }

  private headersOf(id: string, body: string): Record<string, string> {
    const now = new Date();
    return {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': this.signers.map((signer) => signer.sign(id, now, body)).join(' '),
    };
  }
}
