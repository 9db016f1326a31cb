import { setTimeout as sleep } from 'node:timers/promises';
import { HostProblemError, HostUnreachableError } from './host.errors';

export interface HostAddress {
  /** Such as `http://127.0.0.1:3000`. */
  url: string;
  /** Secret; only ever sent as a header. */
  apiKey?: string;
}

export interface HostClientOptions extends HostAddress {
  /** How often a request that may be repeated is tried. */
  attempts?: number;
  signal?: AbortSignal;
  /** What the host's activity log is to say that requests come from, instead of from the key itself. */
  client?: 'cli';
}

/** A page of the API. */
export interface HostPage<T> {
  items: T[];
  nextCursor?: string;
}

interface HostRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  headers: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
  /** True when doing it twice does no more than doing it once. */
  repeatable: boolean;
}

const DEFAULT_ATTEMPTS = 8;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
const LONGEST_WAIT_MS = 60_000;
const TIMEOUT_MS = 120_000;

/**
 * The host's HTTP API. Connections are kept open. What may be repeated is tried again, with the same
 * idempotency key, while the host answers 503 or not at all; what met a limit (429) was not done, and is sent again when it may.
 */
export class HostClient {
  readonly url: string;
  private readonly authorization: Record<string, string>;
  private readonly attempts: number;
  private readonly signal: AbortSignal | undefined;

  constructor({ url, apiKey, attempts, signal, client }: HostClientOptions) {
    this.url = url.replace(/\/+$/, '');
    this.authorization = {
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      ...(client !== undefined && { 'x-onhand-client': client }),
    };
    this.attempts = attempts ?? DEFAULT_ATTEMPTS;
    this.signal = signal;
  }

  /** @throws HostProblemError, HostUnreachableError; so do all members below. */
  get<T>(path: string): Promise<T> {
    return this.send<T>({ method: 'GET', path, headers: this.authorization, repeatable: true });
  }

  delete(path: string): Promise<void> {
    return this.send<void>({ method: 'DELETE', path, headers: this.authorization, repeatable: true });
  }

  /** `key` is sent as Idempotency-Key; a request that has none, and is not said to be repeatable, is sent once. */
  post<T>(
    path: string,
    body?: unknown,
    { key, repeatable = key !== undefined }: PostOptions = {},
  ): Promise<T> {
    const headers: Record<string, string> = { ...this.authorization };
    if (key !== undefined) headers['idempotency-key'] = key;
    if (body !== undefined) headers['content-type'] = 'application/json';
    return this.send<T>({ method: 'POST', path, headers, body: JSON.stringify(body), repeatable });
  }

  /** Changes what is there; doing it twice does no more than doing it once. */
  patch<T>(path: string, body: unknown): Promise<T> {
    const headers = { ...this.authorization, 'content-type': 'application/json' };
    return this.send<T>({ method: 'PATCH', path, headers, body: JSON.stringify(body), repeatable: true });
  }

  /** The bytes of a CSV file, as they are; taken twice they do no more than once. */
  postCsv<T>(path: string, csv: Buffer): Promise<T> {
    const headers = { ...this.authorization, 'content-type': 'text/csv' };
    return this.send<T>({ method: 'POST', path, headers, body: new Uint8Array(csv), repeatable: true });
  }

  /** A signed webhook: its bytes as they are, and no API key, for the signature is what proves it. */
  deliver<T>(path: string, delivery: { headers: Record<string, string>; body: Buffer }): Promise<T> {
    const body = new Uint8Array(delivery.body);
    return this.send<T>({ method: 'POST', path, headers: delivery.headers, body, repeatable: true });
  }

  /** What is too large to be held, as it comes. Not tried again. */
  async *download(path: string): AsyncGenerator<Uint8Array> {
    const response = await fetch(this.url + path, { headers: this.authorization, signal: this.signal }).catch(
      (error: unknown) => {
        throw new HostUnreachableError(this.url, error);
      },
    );
    if (!response.ok) throw problemIn(parsed(await response.text()), response.status);
    for await (const chunk of response.body ?? []) yield chunk as Uint8Array;
  }

  /** All items of a list, page by page. */
  async *items<T>(path: string, limit = 500): AsyncGenerator<T> {
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({
        limit: String(limit),
        ...(cursor === undefined ? {} : { cursor }),
      });
      const page: HostPage<T> = await this.get(`${path}${path.includes('?') ? '&' : '?'}${query.toString()}`);
      yield* page.items;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }

  private async send<T>(request: HostRequest): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.sendOnce<T>(request);
      } catch (error) {
        this.signal?.throwIfAborted();
        if (attempt >= this.attempts || !isWorthRepeating(error, request)) throw error;
        const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS);
        await sleep(Math.max(delayMs, retryAfterMs(error)), undefined, { signal: this.signal });
      }
    }
  }

  private async sendOnce<T>({ method, path, headers, body }: HostRequest): Promise<T> {
    const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(this.signal ? [this.signal] : [])];
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.url + path, { method, headers, body, signal: AbortSignal.any(signals) });
      text = await response.text();
    } catch (error) {
      throw new HostUnreachableError(this.url, error);
    }
    const answer = parsed(text);
    if (response.ok) return answer as T;
    throw problemIn(answer, response.status, response.headers.get('retry-after'));
  }
}

interface PostOptions {
  key?: string;
  repeatable?: boolean;
}

/** As long as the host asks for, within reason. */
function retryAfterMs(error: unknown): number {
  const seconds = error instanceof HostProblemError ? error.retryAfterSeconds : 0;
  return Math.min(seconds * 1000, LONGEST_WAIT_MS);
}

function isWorthRepeating(error: unknown, { repeatable }: HostRequest): boolean {
  if (error instanceof HostProblemError) return error.status === 429 || (repeatable && error.status === 503);
  if (!(error instanceof HostUnreachableError)) return false;
  // Where nobody took the connection, nothing can have been done.
  return repeatable || (error.cause as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED';
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problemIn(answer: unknown, status: number, retryAfter: string | null = null): HostProblemError {
  const { code, title, detail, errors } = (answer ?? {}) as Record<string, unknown>;
  const text = (value: unknown, otherwise: string) => (typeof value === 'string' ? value : otherwise);
  const faults = Array.isArray(errors) ? (errors as { field: string; message: string }[]) : [];
  return new HostProblemError(
    status,
    text(code, `http-${status}`),
    text(title, `The host answered ${status}`),
    text(detail, ''),
    faults,
    answer,
    Number(retryAfter) || 0,
  );
}
