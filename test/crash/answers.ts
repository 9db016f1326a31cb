import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ADMIN_KEY } from '../support/host';

/** A write to the API, and the first answer to it that came whole. */
export interface ApiCall {
  key: string;
  path: string;
  body: unknown;
  /** 0: none came, so it was done or not. */
  status: number;
  answer: unknown;
}

/** A webhook as it was sent; 2xx means that the host has taken it upon itself. */
export interface WebhookCall {
  channel: string;
  orderId: string;
  revision: number;
  status: number;
  /** sha256 of its body, in hex. */
  digest: string;
}

/** What a webhook tells of. */
export type Told = Pick<WebhookCall, 'channel' | 'orderId' | 'revision'>;

/** Channels wait five seconds for an answer. */
const PATIENCE_MS = 5_000;

/** The rig's own list of everything that was asked, and how it was answered: what the hosts are held to. */
export class AnswerBook {
  calls: ApiCall[] = [];
  webhooks: WebhookCall[] = [];
  /** Answers that contradict earlier ones. */
  readonly contradictions: string[] = [];
  /** Requests that were answered with a fault of the host, or not at all. */
  failures = 0;

  /** A new write, with a key of its own. */
  async call(url: string, path: string, body: unknown, key: string): Promise<ApiCall> {
    const call: ApiCall = { key, path, body, status: 0, answer: undefined };
    this.calls.push(call);
    await this.repeat(url, call);
    return call;
  }

  /** The same again: what was answered before must be answered still. */
  async repeat(url: string, call: ApiCall): Promise<void> {
    const { status, body } = await post(`${url}${call.path}`, call.key, call.body);
    if (isFailure(status)) {
      this.failures += 1;
      return;
    }
    if (isFailure(call.status)) {
      call.status = status;
      call.answer = body;
    } else if (status !== call.status || !isDeepStrictEqual(essence(body), essence(call.answer))) {
      const was = `${call.status} ${JSON.stringify(call.answer)}`;
      this.contradictions.push(
        `I9: ${call.path} with the key ${call.key} was answered ${was}, then ${status} ${JSON.stringify(body)}`,
      );
    }
  }

  /** The key of an answered call with other content, which must be refused by name. */
  async misuse(url: string, { key, path, status: known }: ApiCall, body: unknown): Promise<void> {
    if (isFailure(known)) return;
    const { status, body: answer } = await post(`${url}${path}`, key, body);
    if (isFailure(status)) this.failures += 1;
    else if (status !== 422 || (answer as { code?: string }).code !== 'idempotency-conflict')
      this.contradictions.push(`I9: the key ${key} with other content was answered ${status}`);
  }

  async webhook(
    url: string,
    told: Told,
    delivery: { headers: Record<string, string>; body: Buffer },
  ): Promise<number> {
    const { status } = await send(`${url}/webhooks/${told.channel}`, delivery.headers, delivery.body);
    if (isFailure(status)) this.failures += 1;
    else if (status >= 300)
      this.contradictions.push(
        `I4: a webhook of ${told.channel} with a good signature was answered ${status}`,
      );
    const digest = createHash('sha256').update(delivery.body).digest('hex');
    this.webhooks.push({ ...told, status, digest });
    return status;
  }

  /** Asks again for what was never answered, until it is. Rejects when a call is not answered within ten tries. */
  async askAgain(urls: readonly string[]): Promise<void> {
    for (const call of this.calls.filter(({ status }) => isFailure(status))) {
      for (let attempt = 0; isFailure(call.status); attempt++) {
        if (attempt === 10) throw new Error(`${call.path} with the key ${call.key} is not answered`);
        if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 200));
        await this.repeat(urls[attempt % urls.length]!, call);
      }
    }
  }

  /**
   * A backup of the moment when the book had so many entries was restored. Stock events are sent again, as whoever
   * has a list of them would; what else was answered since then is lost with the old tables.
   */
  fallBackTo({ calls, webhooks }: { calls: number; webhooks: number }): Set<ApiCall> {
    const since = this.calls.splice(calls);
    const again = since.filter(({ path }) => path === '/v1/events');
    for (const call of again) call.status = 0;
    this.calls.push(...again);
    this.webhooks.splice(webhooks);
    return new Set(since.filter((call) => !again.includes(call)));
  }

  get answered(): number {
    const done = [...this.calls, ...this.webhooks].filter(({ status }) => status >= 200 && status < 300);
    return done.length;
  }
}

/** No answer, or one that says it may be tried again with the same key. */
function isFailure(status: number): boolean {
  return status === 0 || status >= 500 || status === 429;
}

/** What may differ between the first answer and the next: whether it is the first, and the request's own id. */
function essence(body: unknown): unknown {
  const { duplicate: _, requestId: __, instance: ___, ...rest } = (body ?? {}) as Record<string, unknown>;
  return rest;
}

function post(url: string, key: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${ADMIN_KEY}`,
    'idempotency-key': key,
  };
  return send(url, headers, JSON.stringify(body));
}

async function send(
  url: string,
  headers: Record<string, string>,
  body: string | Buffer,
): Promise<{ status: number; body: unknown }> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(url, { method: 'POST', headers, body, signal });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  } catch {
    return { status: 0, body: undefined };
  }
}
