import { getMetadataStorage } from 'class-validator';
import { Pool } from 'undici';
import {
  Draw,
  FOREIGN_FIELDS,
  HOSTILE_TEXTS,
  HOSTILE_VALUES,
  type Known,
  type Schema,
  spoiled,
  spoiledBytes,
  valueOf,
} from './fuzz-values';

interface Operation {
  method: string;
  path: string;
  parameters?: { in: string; name: string; schema?: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

export interface ApiDocument {
  paths: Record<string, Record<string, Omit<Operation, 'method' | 'path'>>>;
  components: { schemas: Record<string, Schema> };
}

export interface FuzzOptions {
  url: string;
  document: ApiDocument;
  seed: number;
  known: Known['known'];
  /** Keys that requests are sent with, in turn. */
  keys: readonly (string | undefined)[];
  inFlight?: number;
}

interface FuzzRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: Buffer;
}

/** An answer that no request may have. */
export interface FuzzFinding {
  why: string;
  /** Which request of the seed it was. */
  nr: number;
  request: string;
  answer: string;
}

/** A machine that many share stands still for seconds at times; a request that hangs does for ever. */
const LONGEST_ANSWER_MS = 60_000;
/** Parameters that routes take without the document saying so. */
const COMMON_QUERY = [
  'limit',
  'cursor',
  'sku',
  'channel',
  'state',
  'from',
  'to',
  'wait',
  'since',
  'name',
  'window',
];
const CSV_HEADERS = [
  ['channel_sku', 'sku', 'units', 'cap', 'buffer_units', 'buffer_percent'],
  ['channel_sku', 'sku'],
  ['sku', 'quantity', 'location', 'state', 'taken_at'],
  ['sku', 'quantity'],
];
/** Columns whose values are known by the name of a field. */
const CSV_FIELDS: Readonly<Record<string, string>> = { channel_sku: 'channelSku', taken_at: 'occurredAt' };
const CONTENT_TYPES = [
  ...[
    'text/plain',
    'text/csv',
    'application/xml',
    'application/json; charset=utf-16',
    'application/json; charset=x',
  ],
  ...['multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'application/json', '', ';'],
];

/**
 * Sends requests drawn from a seed to every route of an OpenAPI document. Each begins as one that would be taken;
 * then something in its address, headers or body is made hostile.
 */
export class HttpFuzzer {
  readonly statuses = new Map<number, number>();
  readonly findings: FuzzFinding[] = [];
  private readonly draw: Draw;
  private readonly operations: Operation[];
  private readonly known: Known;
  private readonly pool: Pool;
  private readonly tookMs = new Map<string, number>();
  private nr = 0;

  constructor(private readonly options: FuzzOptions) {
    const { document, seed, known, url } = options;
    this.draw = new Draw(seed);
    this.known = { schemas: withValidatedFields(document.components.schemas), known };
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        ...operation,
        path,
        method: method.toUpperCase(),
      })),
    );
    this.pool = new Pool(url, { connections: options.inFlight ?? 32, headersTimeout: LONGEST_ANSWER_MS });
  }

  async run(requests: number, told: (done: number) => void = () => undefined): Promise<void> {
    const last = this.nr + requests;
    const worker = async () => {
      while (this.nr < last && this.findings.length < 50) {
        const nr = this.nr++;
        // Every route in turn, so that a short run has each of them.
        const operation = this.operations[nr % this.operations.length]!;
        const key = this.options.keys[Math.floor(nr / this.operations.length) % this.options.keys.length];
        const started = performance.now();
        await this.send(nr, this.requestFor(operation, key));
        const name = `${operation.method} ${operation.path}`;
        this.tookMs.set(name, (this.tookMs.get(name) ?? 0) + performance.now() - started);
        if (nr % 1_000 === 0) told(nr);
      }
    };
    await Promise.all(Array.from({ length: this.options.inFlight ?? 32 }, worker));
  }

  /** The routes that took longest in all. */
  slowest(): string[] {
    const sorted = [...this.tookMs].sort(([, a], [, b]) => b - a).slice(0, 15);
    return sorted.map(([name, ms]) => `${Math.round(ms / 1000)} s ${name}`);
  }

  close(): Promise<void> {
    return this.pool.destroy();
  }

  private requestFor(
    { method, path, parameters = [], requestBody }: Operation,
    key: string | undefined,
  ): FuzzRequest {
    const { draw } = this;
    const isSpoiled = { path: draw.chance(0.15), query: draw.chance(0.3), body: draw.chance(0.6) };
    const parameter = (name: string, schema: Schema = {}, spoil = false) =>
      encoded(spoil ? draw.one(HOSTILE_TEXTS) : textOf(valueOf(schema, draw, this.known, name)), draw);
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => parameter(name, {}, isSpoiled.path));
    const named = parameters.filter(({ in: place }) => place === 'query').map(({ name }) => name);
    const query = [...named, ...COMMON_QUERY]
      .filter((_, index) => draw.chance(index < named.length ? 0.5 : 0.06))
      .map((name) => `${name}${draw.chance(0.05) ? '[]' : ''}=${parameter(name, {}, isSpoiled.query)}`);
    if (draw.chance(0.03)) query.push(`${encodeURIComponent(draw.one(FOREIGN_FIELDS))}=1`);
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
    if (draw.chance(0.2)) headers['idempotency-key'] = printable(draw.one([...HOSTILE_TEXTS, 'k1', 'k2']));
    if (draw.chance(0.05)) headers['x-request-id'] = printable(draw.one(HOSTILE_TEXTS));
    if (draw.chance(0.03)) headers.cookie = `onhand_session=${printable(draw.one(HOSTILE_TEXTS))}`;
    const isCsv = requestBody?.content['text/csv'] !== undefined && draw.chance(0.5);
    const json = () => this.bodyFor(requestBody, isSpoiled.body);
    const body =
      method === 'GET' || method === 'HEAD' ? undefined : isCsv ? this.csv(isSpoiled.body) : json();
    const type = isCsv ? 'text/csv' : 'application/json';
    if (body) headers['content-type'] = draw.chance(0.06) ? draw.one(CONTENT_TYPES) : type;
    const suffix = query.length > 0 ? `?${query.join('&')}` : '';
    return { method, path: filled + suffix, headers, ...(body && { body }) };
  }

  private bodyFor(described: Operation['requestBody'], isSpoiled: boolean): Buffer | undefined {
    const { draw } = this;
    if (!described && draw.chance(0.7)) return undefined;
    const schema = described?.content['application/json']?.schema;
    let value = schema ? valueOf(schema, draw, this.known) : draw.one(HOSTILE_VALUES);
    for (let times = isSpoiled ? 1 + draw.below(2) : 0; times > 0; times--) value = spoiled(value, draw);
    const bytes = Buffer.from(JSON.stringify(value) ?? 'null');
    return draw.chance(0.08) ? spoiledBytes(bytes, draw) : bytes;
  }

  /** Rows of listings or counts, as a person exports them or as nobody would. */
  private csv(isSpoiled: boolean): Buffer {
    const { draw } = this;
    const header = [...draw.one(CSV_HEADERS)];
    if (isSpoiled && draw.chance(0.2)) header[draw.below(header.length)] = draw.one(HOSTILE_TEXTS);
    const cell = (name: string) => textOf(valueOf({}, draw, this.known, CSV_FIELDS[name] ?? name));
    const rows = Array.from({ length: draw.below(5) }, () =>
      header.map((name) => (isSpoiled && draw.chance(0.2) ? draw.one(HOSTILE_TEXTS) : cell(name))).join(','),
    );
    const bytes = Buffer.from([header.join(','), ...rows].join(draw.one(['\n', '\r\n', '\n'])));
    return isSpoiled && draw.chance(0.3) ? spoiledBytes(bytes, draw) : bytes;
  }

  private async send(nr: number, request: FuzzRequest): Promise<void> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), LONGEST_ANSWER_MS);
    try {
      const { method, path, headers, body } = request;
      const answer = await this.pool.request({
        method: method as 'GET',
        path,
        headers,
        body: body ?? null,
        signal: abort.signal,
      });
      const type = String(answer.headers['content-type'] ?? '');
      this.statuses.set(answer.statusCode, (this.statuses.get(answer.statusCode) ?? 0) + 1);
      // A stream goes on for as long as somebody listens.
      const isStream = type.startsWith('text/event-stream');
      const text = isStream ? '' : await answer.body.text();
      if (isStream) answer.body.on('error', () => undefined).destroy();
      const why = whyWrong(answer.statusCode, type, text, method);
      if (why !== undefined) this.find(nr, why, request, `${answer.statusCode} ${text.slice(0, 600)}`);
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      // What cannot be put into HTTP at all was not sent.
      if (code === 'UND_ERR_INVALID_ARG') return;
      this.find(
        nr,
        abort.signal.aborted ? `no answer in ${LONGEST_ANSWER_MS} ms` : 'no answer',
        request,
        message,
      );
    } finally {
      clearTimeout(timer);
    }
  }

  private find(nr: number, why: string, { method, path, headers, body }: FuzzRequest, answer: string): void {
    const { authorization: _, ...others } = headers;
    const request = `${method} ${path.slice(0, 300)} ${JSON.stringify(others).slice(0, 300)} ${body?.toString('utf8').slice(0, 400) ?? ''}`;
    this.findings.push({ nr, why, request, answer });
  }
}

/** A request has held the channel's breaker open, or used its limit up. */
const HELD_BACK = /"code":"(channel-breaker-open|channel-throttled)"/;

/** Undefined where the answer is one that a request may have. */
function whyWrong(status: number, type: string, text: string, method: string): string | undefined {
  if (status >= 500 && !HELD_BACK.test(text)) return 'a fault of the host';
  if (status < 400 || method === 'HEAD') return undefined;
  if (!type.startsWith('application/problem+json')) return 'a refusal that is no problem';
  const problem = JSON.parse(text) as Record<string, unknown>;
  const isWhole = ['type', 'code', 'title', 'detail', 'requestId'].every(
    (name) => typeof problem[name] === 'string',
  );
  if (!isWhole || problem.status !== status) return 'a problem that lacks something';
  if (/\bat .*\.[jt]s:\d+|node_modules|SELECT |INSERT |QueryFailed/.test(text))
    return 'it tells of the inside';
  return undefined;
}

/** The document leaves some fields out that validation has. */
function withValidatedFields(schemas: Readonly<Record<string, Schema>>): Record<string, Schema> {
  const storage = getMetadataStorage() as unknown as {
    validationMetadatas: Map<{ name: string }, { propertyName: string }[]>;
  };
  const merged: Record<string, Schema> = { ...schemas };
  for (const [{ name }, metadata] of storage.validationMetadatas) {
    if (!merged[name]) continue;
    const fields = Object.fromEntries(
      metadata.map(({ propertyName }): [string, Schema] => [propertyName, {}]),
    );
    merged[name] = { ...merged[name], properties: { ...fields, ...merged[name].properties } };
  }
  return merged;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Mostly as it has to be, now and then not. */
function encoded(text: string, draw: Draw): string {
  const safe = Buffer.from(text).toString('utf8').slice(0, 3_000);
  if (draw.chance(0.9)) return encodeURIComponent(safe);
  return safe.replace(/[^\x21-\x7e]/g, '') || '%';
}

/** A header takes no line break; what is no Latin-1 cannot be sent. */
function printable(text: string): string {
  return text
    .replace(/[^\x20-\x7e\xa0-\xff]/g, '')
    .slice(0, 8_000)
    .trim();
}
