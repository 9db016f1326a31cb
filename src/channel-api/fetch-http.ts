import type { CallBreaker, CallOutcome } from './call-breaker';
import type { ChannelClock, ChannelLogger, LimitFacts, RateLimit } from './contract';
import {
  ChannelError,
  ChannelProtocolError,
  ChannelRequestError,
  ChannelThrottledError,
  ChannelUnavailableError,
  isChannelError,
} from './errors';
import type { ChannelHttp, ChannelHttpRequest, ChannelHttpResponse } from './http-client';
import { isKeyed, keyedName, usedUpQuota } from './keyed-limit';
import { parseJsonLossless } from './lossless-json';
import { parsedUrl } from './parsed-url';
import { createRedactor, type Redactor } from './redaction';
import { type LimitCost, type Limiter, type LimitRefusal, MemoryLimitStore, type Permit } from './limiter';
import { QueuedLimiter } from './queued-limiter';
import { parseRetryAfter } from './retry-after';

/** A call is over so long after its time-out at the latest, whatever became of its host. */
const HELD_AFTER_TIMEOUT_MS = 5_000;

export interface ChannelHttpOptions {
  /** The plugin's limits; a request that names none uses the first. No limit at all when empty. */
  limits: readonly RateLimit[];
  /** Counts the limits; in this process alone unless told. */
  limiter?: Limiter;
  /** Told of every call, and may refuse it; all are sent unless told. */
  breaker?: CallBreaker;
  clock: ChannelClock;
  log: ChannelLogger;
  /** Values that must not appear in a message, in any usual encoding. */
  secrets?: readonly string[];
  /** Bound of one answer's body after decompression; 10 MB unless told. */
  maxResponseBytes?: number;
  /** Bound of one call from connecting to the body's end; 10 s unless told, or the request says otherwise. */
  timeoutMs?: number;
  /** Longest wait for a token before the call is refused as throttled, unsent; 30 s unless told. */
  maxWaitMs?: number;
  /** Longest pause that a Retry-After is believed; 15 min unless told. */
  maxRetryAfterMs?: number;
  /** The platform's own unless told. What it rejects with a channel error as the cause was not sent. */
  fetch?: typeof globalThis.fetch;
  /** Called when nothing is left but to send; what it throws is thrown, and nothing is sent. */
  beforeSend?: () => void;
}

/**
 * `ChannelHttp` over the platform's fetch. Throws as `ChannelHttp` says, and `RangeError` at once when a limit
 * could never let a call pass.
 */
export function createChannelHttp(options: ChannelHttpOptions): ChannelHttp {
  return new FetchHttp(options);
}

/** One request made ready. `where` is all of it that a message may carry: method, host and path, redacted. */
interface Call {
  where: string;
  url: URL;
  init: RequestInit;
  costs: readonly LimitCost[];
  timeoutMs: number;
  answers?: ChannelHttpRequest['answers'];
}

class FetchHttp implements ChannelHttp {
  private readonly limits: ReadonlyMap<string, RateLimit>;
  private readonly limiter: Limiter;
  private readonly redact: Redactor;

  constructor(private readonly options: ChannelHttpOptions) {
    const { limits, clock, limiter } = options;
    this.limits = new Map(limits.map((limit) => [limit.name, limit]));
    this.limiter = limiter ?? new QueuedLimiter(limits, new MemoryLimitStore(clock), clock);
    this.redact = createRedactor(options.secrets ?? []);
  }

  async request(request: ChannelHttpRequest): Promise<ChannelHttpResponse> {
    const call = this.prepare(request);
    this.options.breaker?.admit(call.where);
    const permit = await this.permit(call);
    let outcome: CallOutcome = { kind: 'unanswered' };
    let isSent = false;
    let report: ((outcome: CallOutcome) => void) | undefined;
    try {
      // Once more: the channel may have gone away while the call waited for its turn.
      report = this.options.breaker?.admit(call.where);
      this.options.beforeSend?.();
      isSent = true;
      const response = await this.send(call);
      outcome = outcomeOf(call, response);
      return response;
    } catch (error) {
      if (isSent) outcome = failureOf(error);
      throw error;
    } finally {
      permit?.release(isSent ? outcome.kind : 'unsent');
      if (isSent) report?.(outcome);
    }
  }

  learn(limit: string, facts: LimitFacts): void {
    if (!this.limits.has(limit)) throw new ChannelRequestError(this.undeclared(limit));
    this.limiter.learn(limit, facts);
  }

  private prepare(request: ChannelHttpRequest): Call {
    const url = this.parseUrl(request);
    const redact = createRedactor(carriedSecrets(request));
    const where = this.redact(redact(`${request.method} ${url.host}${readablePath(url, this.redact)}`));
    return {
      where,
      url,
      init: { method: request.method, headers: headersOf(request, where), body: bodyOf(request, where) },
      costs: this.costsOf(request, where),
      timeoutMs: request.timeoutMs ?? this.options.timeoutMs ?? 10_000,
      answers: request.answers,
    };
  }

  /** The URL itself stays out of the message: one that cannot be parsed cannot be redacted by its parts. */
  private parseUrl(request: ChannelHttpRequest): URL {
    const url = parsedUrl(request.url);
    if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
      throw new ChannelRequestError(
        `${request.method}: the URL is not an http or https URL; check the channel's base URL`,
      );
    }
    if (url.username !== '' || url.password !== '') {
      throw new ChannelRequestError(
        `${request.method} ${url.host}: the URL carries credentials; move them to the channel's authentication options`,
      );
    }
    return url;
  }

  private costsOf({ limit, cost = 1 }: ChannelHttpRequest, where: string): LimitCost[] {
    const [first] = this.limits.keys();
    const named = limit === undefined ? (first === undefined ? [] : [first]) : [limit].flat();
    const costs = named.map((each) =>
      this.costOf(typeof each === 'string' ? { name: each } : each, cost, where),
    );
    const taken = new Map<string, LimitCost>();
    for (const each of costs) {
      const same = taken.get(each.limit);
      // Of a key as often as it is named: a call may change one thing in several places.
      if (same && isKeyed(each.limit))
        Object.assign(same, { units: same.units + each.units, keep: Math.max(same.keep!, each.keep!) });
      else taken.set(each.limit, each);
    }
    return [...taken.values()];
  }

  private costOf(
    { name, key, keep = 0 }: { name: string; key?: string; keep?: number },
    cost: NonNullable<ChannelHttpRequest['cost']>,
    where: string,
  ): LimitCost {
    const declared = this.limits.get(name);
    if (!declared) throw new ChannelRequestError(`${where}: ${this.undeclared(name)}`);
    const units = typeof cost === 'number' ? cost : (cost[name] ?? 1);
    if (!(units >= 0 && units < Infinity && keep >= 0 && keep < Infinity))
      throw new ChannelRequestError(`${where}: the cost for the limit "${name}" must be a number, 0 or more`);
    return key === undefined ? { limit: name, units } : { limit: keyedName(name, key), units, keep };
  }

  private undeclared(limit: string): string {
    const known = [...this.limits.keys()].join(', ') || 'none';
    return `the plugin declares no limit "${limit}"; it declares ${known}`;
  }

  private async permit(call: Call): Promise<Permit | undefined> {
    if (call.costs.length === 0) return undefined;
    const answer = await this.limiter.take(call.costs, {
      maxWaitMs: this.options.maxWaitMs ?? 30_000,
      holdMs: call.timeoutMs + HELD_AFTER_TIMEOUT_MS,
    });
    if ('release' in answer) return answer;
    throw refusalOf(call, answer);
  }

  private async send(call: Call): Promise<ChannelHttpResponse> {
    const abort = new AbortController();
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      abort.abort();
    }, call.timeoutMs);
    try {
      // Looked up at each call, so that a test's interceptor is seen whenever it came.
      const fetch = this.options.fetch ?? globalThis.fetch;
      const startedAt = this.options.clock.now().getTime();
      const response = await fetch(call.url, { ...call.init, redirect: 'manual', signal: abort.signal });
      if (response.status < 500 || !call.answers) this.refuseStatus(call, response);
      const answer = answerOf(call, response, await this.readBytes(call, response));
      if (response.status >= 500 && !call.answers!(response.status, answer.text))
        this.refuseStatus(call, response);
      const elapsedMs = this.options.clock.now().getTime() - startedAt;
      this.options.log.debug('channel answered', { call: call.where, status: answer.status, elapsedMs });
      return answer;
    } catch (error) {
      // Lets go of the socket of an answer that was not read to its end.
      abort.abort();
      throw isChannelError(error) ? error : this.failureOf(call, error, timedOut);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A fetch of the host's own says why it sent nothing by a channel error as the cause. */
  private failureOf(call: Call, error: unknown, timedOut: boolean): ChannelError {
    const { cause } = (error ?? {}) as { cause?: unknown };
    if (!isChannelError(cause)) return unavailable(call, error, timedOut);
    return new ChannelError(
      cause.code,
      `${call.where} not sent: ${this.redact(cause.message)}`,
      cause.retryable,
    );
  }

  private refuseStatus(call: Call, response: Response): void {
    const { status } = response;
    const { clock, maxRetryAfterMs } = this.options;
    const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), clock.now(), maxRetryAfterMs);
    if (status === 429) {
      // What is counted by key is the channel's other limit: a 429 tells of the rate of calls.
      this.limiter.close(
        call.costs.map(({ limit }) => limit).filter((limit) => !isKeyed(limit)),
        retryAfterMs,
      );
      const wait =
        retryAfterMs === undefined ? 'it does not say for how long' : `retry after ${seconds(retryAfterMs)}`;
      this.options.log.warn('channel throttled us', { call: call.where, retryAfterMs });
      throw new ChannelThrottledError(`${call.where} answered 429: the limit is met, ${wait}`, retryAfterMs);
    }
    if (status >= 500) {
      throw new ChannelUnavailableError(
        `${call.where} answered ${status}; the call may have been applied`,
        retryAfterMs,
      );
    }
    if (status >= 300 && status < 400 && status !== 304) {
      throw new ChannelProtocolError(
        `${call.where} answered ${status}: redirect not followed; set the channel's base URL to the final address`,
      );
    }
  }

  private async readBytes(call: Call, response: Response): Promise<Buffer> {
    const maxBytes = this.options.maxResponseBytes ?? 10 * 1024 * 1024;
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > maxBytes) {
        throw new OversizedAnswerError(
          `${call.where} answered more than ${maxBytes} bytes; ask for smaller pages`,
        );
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}

function answerOf(call: Call, response: Response, bytes: Buffer): ChannelHttpResponse {
  const text = new TextDecoder().decode(bytes);
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text,
    bytes,
    json<T>(): T {
      try {
        return parseJsonLossless(text) as T;
      } catch {
        // The parser's own message quotes the body, which may hold anything.
        const type = response.headers.get('content-type')?.split(';')[0] ?? 'no content type';
        throw new ChannelProtocolError(
          `${call.where} answered ${response.status} with ${type.slice(0, 80)} that is not JSON; check that the channel's base URL is its API's`,
        );
      }
    },
  };
}

/** What the call tells of the channel's health: a page where JSON was asked for is a proxy's, not the channel's. */
function outcomeOf({ init }: Call, { status, headers }: ChannelHttpResponse): CallOutcome {
  const asksForJson = (init.headers as Headers).get('accept')?.includes('json') ?? false;
  const isPage = headers['content-type']?.startsWith('text/html') ?? false;
  if (!asksForJson || !isPage || status < 200 || status > 299) return { kind: 'answered' };
  return { kind: 'unanswered', reason: `answered ${status} with a web page` };
}

function failureOf(error: unknown): CallOutcome {
  if (!isChannelError(error)) return { kind: 'answered' };
  if (error.code === 'channel-throttled') return { kind: 'throttled' };
  if (error.code !== 'channel-unavailable' || error instanceof OversizedAnswerError)
    return { kind: 'answered' };
  return { kind: 'unanswered', reason: error.message };
}

function refusalOf({ where }: Call, { limit, waitMs, isQuota, usedUp }: LimitRefusal): Error {
  if (waitMs === Infinity) {
    return new ChannelRequestError(
      `${where} not sent: it costs more than the limit "${limit}" can ever hold; ask for less at once`,
    );
  }
  const until = isQuota ? `the quota "${limit}" is` : "the channel's limit is";
  return new ChannelThrottledError(
    `${where} not sent: ${until} used up for another ${seconds(waitMs)}`,
    waitMs,
    usedUp.map(usedUpQuota),
  );
}

/** The channel is there, but what it answers is more than the host takes. */
class OversizedAnswerError extends ChannelUnavailableError {}

/** Only the failure's code goes into the message: its text may quote a header's value. */
function unavailable(call: Call, error: unknown, timedOut: boolean): ChannelUnavailableError {
  if (timedOut) {
    return new ChannelUnavailableError(
      `${call.where} gave no complete answer within ${seconds(call.timeoutMs)}; the call may have been applied`,
    );
  }
  const cause = (error as { cause?: { code?: unknown } } | null)?.cause;
  const code =
    typeof cause?.code === 'string' && /^[A-Z0-9_]{1,40}$/.test(cause.code) ? cause.code : 'connection lost';
  return new ChannelUnavailableError(`${call.where} could not be reached or broke off (${code})`);
}

function headersOf(request: ChannelHttpRequest, where: string): Headers {
  try {
    const headers = new Headers(request.headers);
    if (!headers.has('accept')) headers.set('accept', 'application/json');
    if (!headers.has('user-agent')) headers.set('user-agent', 'onhand');
    if (request.json !== undefined && !headers.has('content-type'))
      headers.set('content-type', 'application/json');
    return headers;
  } catch {
    // The platform's message quotes the value, which is most often a token with a line break behind it.
    throw new ChannelRequestError(
      `${where}: a header cannot be sent; look for line breaks or non-Latin characters in the channel's credentials`,
    );
  }
}

function bodyOf(request: ChannelHttpRequest, where: string): string | Uint8Array<ArrayBuffer> | undefined {
  if (request.json === undefined) {
    return typeof request.body === 'object' ? new Uint8Array(request.body) : request.body;
  }
  if (request.body === undefined) return JSON.stringify(request.json);
  throw new ChannelRequestError(`${where}: the plugin gave both "body" and "json"; give one`);
}

/** What this request's own credentials headers hold, whole and without the scheme before it. */
function carriedSecrets(request: ChannelHttpRequest): string[] {
  return Object.entries(request.headers ?? {})
    .filter(([name]) => /authorization|token|key|secret|cookie/i.test(name))
    .flatMap(([, value]) => [value, value.slice(value.indexOf(' ') + 1)]);
}

/** The path as it was meant, where its encoding hides a secret; encoded again so that it stays on one line. */
function readablePath(url: URL, redact: Redactor): string {
  try {
    const decoded = decodeURIComponent(url.pathname);
    const redacted = redact(decoded);
    return redacted === decoded ? url.pathname : encodeURI(redacted.replaceAll('[redacted]', '*'));
  } catch {
    return url.pathname;
  }
}

function seconds(delayMs: number): string {
  return `${Math.round(delayMs / 100) / 10} s`;
}
