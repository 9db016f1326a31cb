/** One answer of a host. `body` is the parsed JSON, or the text where it is none. */
export interface Answer<Body = unknown> {
  status: number;
  headers: Headers;
  body: Body;
}

/** An RFC 9457 answer, as far as tests look at it. */
export interface ProblemAnswer {
  type: string;
  code: string;
  title: string;
  status: number;
  detail: string;
  requestId: string;
  errors?: { field: string; message: string }[];
}

/** Calls a host's API over HTTP as any caller would: JSON in, JSON out, one API key. */
export class HostClient {
  constructor(
    readonly url: string,
    private readonly key: string | undefined,
  ) {}

  withKey(key: string | undefined): HostClient {
    return new HostClient(this.url, key);
  }

  get<Body = unknown>(path: string): Promise<Answer<Body>> {
    return this.send<Body>('GET', path);
  }

  /** `idempotencyKey` goes into the header of that name. */
  post<Body = unknown>(path: string, body?: unknown, idempotencyKey?: string): Promise<Answer<Body>> {
    return this.send<Body>('POST', path, {
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  put<Body = unknown>(path: string, body: unknown): Promise<Answer<Body>> {
    return this.sendJson<Body>('PUT', path, body);
  }

  patch<Body = unknown>(path: string, body: unknown): Promise<Answer<Body>> {
    return this.sendJson<Body>('PATCH', path, body);
  }

  /** The text goes as it is, under `text/csv`. */
  postCsv<Body = unknown>(path: string, csv: string | Buffer): Promise<Answer<Body>> {
    return this.send<Body>('POST', path, { headers: { 'content-type': 'text/csv' }, body: csv });
  }

  delete<Body = unknown>(path: string): Promise<Answer<Body>> {
    return this.send<Body>('DELETE', path);
  }

  private sendJson<Body>(method: string, path: string, body: unknown): Promise<Answer<Body>> {
    const headers = { 'content-type': 'application/json' };
    return this.send<Body>(method, path, { headers, body: JSON.stringify(body) });
  }

  /** `body` is sent as it stands. Rejects when no answer comes. */
  async send<Body = unknown>(
    method: string,
    path: string,
    { headers, body }: { headers?: Record<string, string>; body?: string | Buffer } = {},
  ): Promise<Answer<Body>> {
    const authorization = this.key === undefined ? undefined : { authorization: `Bearer ${this.key}` };
    const response = await fetch(this.url + path, {
      method,
      headers: { ...authorization, ...headers },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text, response) as Body };
  }
}

function parsed(text: string, response: Response): unknown {
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return isJson && text !== '' ? JSON.parse(text) : text;
}
