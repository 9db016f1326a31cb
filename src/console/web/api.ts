/** An answer that is no success, as RFC 9457 has it. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }

  /** The host knows no such route: it is older than this page, or newer. */
  get isRouteAbsent(): boolean {
    return this.status === 404 && this.message.startsWith('Cannot ');
  }
}

/** Told when the session has ended, whatever was asked. */
let onSignedOut: () => void = () => undefined;

export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

export interface Session {
  name: string;
  scopes: string[];
  expiresAt: string;
}

/** Calls this host's API with the browser's session. Throws `ApiProblem`. */
export async function call<T>(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const response = await send(method, path, body, signal);
  if (response.status === 204) return undefined as T;
  // A call that is given up while its answer is read has no answer.
  if (response.ok) return (await response.json()) as T;
  const answer: unknown = await response.json().catch(() => ({}));
  const { code = 'unknown', detail = `the host answered ${response.status}` } = answer as {
    code?: string;
    detail?: string;
  };
  if (response.status === 401 && path !== '/v1/session') onSignedOut();
  throw new ApiProblem(response.status, code, detail);
}

async function send(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      signal,
      credentials: 'same-origin',
      headers: {
        // No other site's page can send it: see the access guard.
        'x-onhand-console': '1',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(method !== 'GET' && { 'idempotency-key': crypto.randomUUID() }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new ApiProblem(0, 'unreachable', 'the host does not answer; it may be restarting');
  }
}
