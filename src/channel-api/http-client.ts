import type { LimitFacts } from './contract';

/**
 * A limit that the channel counts for each of many things by itself, such as the changes of one listing: the
 * declared limit of this name, counted for this key alone. Named twice, it is taken of twice.
 */
export interface KeyedLimit {
  name: string;
  key: string;
  /** The call is not sent unless so many units are left after it, for calls that need them more. */
  keep?: number;
}

export interface ChannelHttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  /** Sent as it is; use `json` for an object. */
  body?: string | Buffer;
  json?: unknown;
  /** Names those of the plugin's `limits` that the call counts against; the first of them when absent. */
  limit?: string | KeyedLimit | readonly (string | KeyedLimit)[];
  /** Units that the call takes of each of its limits, or of those named; 1 where nothing is said. */
  cost?: number | Readonly<Record<string, number>>;
  /**
   * True for a 5xx by which the channel answers this very request, and no sign of its being away: it is answered
   * like any other status then.
   */
  answers?: (status: number, text: string) => boolean;
  /** From connecting to the end of the answer's body; the host's own bound when absent. */
  timeoutMs?: number;
}

export interface ChannelHttpResponse {
  status: number;
  /** Header names in lower case. */
  headers: Record<string, string>;
  text: string;
  /** The body as it came, for what is no text or not in UTF-8. */
  bytes: Buffer;
  /**
   * Parses the body; an integer beyond 2^53 comes as a string of its digits, so that no id is rounded.
   * Throws `ChannelProtocolError` when it is not JSON (an HTML page under 200, say).
   */
  json<T = unknown>(): T;
}

/**
 * The only way a plugin reaches its channel. Answers any status the channel gives but 3xx, 429 and 5xx.
 *
 * Throws `ChannelThrottledError` (429, or the limit is used up for longer than a call may wait: then
 * nothing was sent, and `usedUp` names every quota that is), `ChannelUnavailableError` (5xx, no connection, time-out, answer larger than the
 * host's bound), `ChannelBreakerOpenError` and `LimitsUnavailableError` (nothing was sent),
 * `ChannelProtocolError` (3xx: redirects are not followed), `ChannelRequestError` (the request cannot be sent
 * as it is), `ChannelAddressError` (the host does not let plugins reach that address: public ones only, and
 * what `outbound.allow` names). Messages carry method, host and path, never a query, header or body. Nothing
 * is sent again by itself: whether a call may be repeated is the caller's to know.
 */
export interface ChannelHttp {
  request(request: ChannelHttpRequest): Promise<ChannelHttpResponse>;
  /** Passes on what an answer said of a limit. Never waits; a limit the plugin does not declare is an error. */
  learn(limit: string, facts: LimitFacts): void;
}
