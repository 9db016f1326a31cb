import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { SimulatedReply, SimulatedRequest } from 'onhand/channel-api';
import type { ScaledTime } from './scaled-time';

/** A signed URL is good for so long. */
const URL_LIVES_SECONDS = 300;

interface StoredDocument {
  contentType: string;
  bytes?: Buffer;
}

/**
 * Where feeds are uploaded to and results are downloaded from: storage beside the API, under URLs that are
 * signed, expire, and take no token.
 */
export class DocumentStore {
  private readonly documents = new Map<string, StoredDocument>();
  private readonly secret = randomBytes(16).toString('hex');

  /** `base` is the address of the server that hands requests to `answer`, known once that listens. */
  constructor(
    private readonly time: ScaledTime,
    private readonly base: () => string,
  ) {}

  create(contentType: string, bytes?: Buffer): string {
    const id = `amzn1.tortuga.4.na.${randomUUID()}`;
    this.documents.set(id, { contentType, bytes });
    return id;
  }

  /** Undefined when there is no such document, null when nothing was uploaded to it. */
  read(id: string): Buffer | null | undefined {
    const document = this.documents.get(id);
    return document && (document.bytes ?? null);
  }

  urlOf(id: string): string {
    const expires = Date.now() + this.time.ms(URL_LIVES_SECONDS);
    const signature = this.sign(id, String(expires));
    return `${this.base()}/documents/${encodeURIComponent(id)}?X-Amz-Expires=${expires}&X-Amz-Signature=${signature}`;
  }

  answer({ method, path, query, headers, body }: SimulatedRequest): SimulatedReply {
    const id = decodeURIComponent(path.slice('/documents/'.length));
    const document = this.documents.get(id);
    const expires = query.get('X-Amz-Expires') ?? '';
    if (!document || query.get('X-Amz-Signature') !== this.sign(id, expires)) {
      return refusal(403, 'SignatureDoesNotMatch');
    }
    if (Number(expires) < Date.now()) return refusal(403, 'AccessDenied');
    // A second way to authenticate makes the storage refuse both.
    if (headers.authorization !== undefined) return refusal(400, 'InvalidArgument');
    if (method === 'GET') return download(document);
    if (method !== 'PUT') return refusal(405, 'MethodNotAllowed');
    if (headers['content-type'] !== document.contentType) return refusal(403, 'SignatureDoesNotMatch');
    document.bytes = body;
    return { status: 200, text: '' };
  }

  private sign(id: string, expires: string): string {
    return createHash('sha256').update(`${this.secret} ${id} ${expires}`).digest('hex');
  }
}

function download({ contentType, bytes }: StoredDocument): SimulatedReply {
  if (!bytes) return refusal(404, 'NoSuchKey');
  return { status: 200, headers: { 'content-type': contentType }, text: bytes };
}

function refusal(status: number, code: string): SimulatedReply {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, text };
}
