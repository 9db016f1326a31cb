import { gunzipSync } from 'node:zlib';
import type { AmazonSimulator } from '../../plugins/amazon-sp-api/simulator';
import { routeOf } from '../../plugins/amazon-sp-api/simulator/operations';

/** What was parsed, of whatever shape: tests say what they expect of it. */
export type Json = ReturnType<typeof JSON.parse>;

export interface AmazonAnswer {
  operation: string;
  status: number;
  headers: Headers;
  body: Json;
}

type Query = Record<string, string | number | readonly string[]>;

/** Calls a simulated Amazon as an application with a selling partner's grant does, and keeps all answers. */
export class AmazonCaller {
  readonly answers: AmazonAnswer[] = [];
  private readonly tokens = new Map<string, string>();

  constructor(private readonly amazon: AmazonSimulator) {}

  get options(): Record<string, Json> {
    return this.amazon.pluginOptions;
  }

  /** `grant` is what the token is asked for; null sends none. */
  async call(
    method: string,
    path: string,
    { query = {}, json, grant = 'seller' }: { query?: Query; json?: unknown; grant?: string | null } = {},
  ): Promise<AmazonAnswer> {
    const search = new URLSearchParams(
      Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const token = grant === null ? undefined : await this.token(grant);
    const response = await fetch(`${this.amazon.url}${path}?${search.toString()}`, {
      method,
      headers: { 'content-type': 'application/json', ...(token && { 'x-amz-access-token': token }) },
      body: json === undefined ? undefined : JSON.stringify(json),
    });
    const text = await response.text();
    const operation = routeOf(method, path)?.operation ?? 'none';
    const answer = { operation, status: response.status, headers: response.headers, body: parsed(text) };
    this.answers.push(answer);
    return answer;
  }

  /** Answers `POST /auth/o2/token`. */
  async askForToken(form: Record<string, string>): Promise<{ status: number; body: Json }> {
    const response = await fetch(this.options.lwaEndpoint as string, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    return { status: response.status, body: await response.json() };
  }

  /** The credentials that every request for a token carries. */
  get application(): { client_id: string; client_secret: string } {
    const { clientId, clientSecret } = this.options as { clientId: string; clientSecret: string };
    return { client_id: clientId, client_secret: clientSecret };
  }

  patch(sku: string, patches: unknown, others: { query?: Query; productType?: string } = {}) {
    const { sellerId, marketplaceIds } = this.options as { sellerId: string; marketplaceIds: string[] };
    return this.call('PATCH', `/listings/2021-08-01/items/${sellerId}/${encodeURIComponent(sku)}`, {
      query: { marketplaceIds, ...others.query },
      json: { productType: others.productType ?? 'PRODUCT', patches },
    });
  }

  async item(sku: string): Promise<Json> {
    const { sellerId, marketplaceIds } = this.options as { sellerId: string; marketplaceIds: string[] };
    const { body } = await this.call(
      'GET',
      `/listings/2021-08-01/items/${sellerId}/${encodeURIComponent(sku)}`,
      {
        query: { marketplaceIds, includedData: ['attributes', 'fulfillmentAvailability', 'summaries'] },
      },
    );
    return body;
  }

  search(query: Query) {
    const { sellerId, marketplaceIds } = this.options as { sellerId: string; marketplaceIds: string[] };
    const path = `/listings/2021-08-01/items/${sellerId}`;
    return this.call('GET', path, { query: { marketplaceIds, ...query } });
  }

  /** Creates a document, uploads it and creates the feed. */
  async submit(feedType: string, document: string | object): Promise<AmazonAnswer> {
    const contentType = typeof document === 'string' ? 'text/xml; charset=UTF-8' : 'application/json';
    const created = await this.call('POST', '/feeds/2021-06-30/documents', { json: { contentType } });
    const { feedDocumentId, url } = created.body as { feedDocumentId: string; url: string };
    const text = typeof document === 'string' ? document : JSON.stringify(document);
    await fetch(url, { method: 'PUT', headers: { 'content-type': contentType }, body: text });
    const { marketplaceIds } = this.options as { marketplaceIds: string[] };
    const json = { feedType, marketplaceIds, inputFeedDocumentId: feedDocumentId };
    return this.call('POST', '/feeds/2021-06-30/feeds', { json });
  }

  async feed(feedId: string): Promise<Json> {
    return (await this.call('GET', `/feeds/2021-06-30/feeds/${feedId}`)).body;
  }

  /** The unpacked document that an id of a result or a report leads to. */
  async read(path: string): Promise<string> {
    const { body } = await this.call('GET', path);
    const response = await fetch((body as { url: string }).url);
    const bytes = Buffer.from(await response.arrayBuffer());
    return (
      (body as { compressionAlgorithm?: string }).compressionAlgorithm === 'GZIP' ? gunzipSync(bytes) : bytes
    ).toString('utf8');
  }

  private async token(grant: string): Promise<string> {
    const known = this.tokens.get(grant);
    if (known !== undefined) return known;
    const { refreshToken } = this.options as { refreshToken: string };
    const asked: Record<string, string> =
      grant === 'seller'
        ? { grant_type: 'refresh_token', refresh_token: refreshToken }
        : { grant_type: 'client_credentials', scope: grant };
    const { body } = await this.askForToken({ ...asked, ...this.application });
    this.tokens.set(grant, (body as { access_token: string }).access_token);
    return (body as { access_token: string }).access_token;
  }
}

function parsed(text: string): Json {
  return text === '' ? undefined : (JSON.parse(text) as Json);
}
