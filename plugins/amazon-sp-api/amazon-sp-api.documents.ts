import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  ChannelProtocolError,
  ChannelUnavailableError,
  type ChannelHttp,
  type ChannelHttpResponse,
} from 'onhand/channel-api';
import type { WireDocument } from './amazon-sp-api.wire';

const unzip = promisify(gunzip);

/** Of one document, up or down: 25,000 messages are five megabytes. */
const TRANSFER_MS = 40_000;
/** What a document may unpack to. */
const MAX_BYTES = 256 * 1024 * 1024;

/** What Amazon calls the encodings of its flat files, where the standard calls them otherwise. */
const CHARSETS: Record<string, string> = { cp1252: 'windows-1252', cp932: 'shift_jis', ms932: 'shift_jis' };

/**
 * The documents of feeds and reports. They lie in a storage of their own, at addresses that are signed and end after
 * five minutes, so they are fetched at once and with no token of ours
 * (developer-docs.amazon.com/sp-api/docs/feeds-api-best-practices).
 */
export class Documents {
  constructor(private readonly http: ChannelHttp) {}

  /** `contentType` must be the one that the document was created with: the address is signed for it. */
  async upload(url: string, contentType: string, body: string): Promise<void> {
    const response = await this.http.request({
      method: 'PUT',
      url,
      headers: { 'content-type': contentType },
      body,
      limit: 'documents',
      timeoutMs: TRANSFER_MS,
    });
    requireSuccess(response, 'take the document');
  }

  async text(document: WireDocument): Promise<string> {
    const { headers, bytes } = await this.download(document);
    return decoder(headers['content-type']).decode(bytes);
  }

  /** Throws `ChannelProtocolError` where it is not JSON. */
  async json<T>(document: WireDocument): Promise<T> {
    try {
      return JSON.parse(await this.text(document)) as T;
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new ChannelProtocolError('the document of a feed or report is not JSON');
      throw error;
    }
  }

  private async download({ url, compressionAlgorithm }: WireDocument) {
    const response = await this.http.request({
      method: 'GET',
      url,
      headers: { accept: '*/*' },
      limit: 'documents',
      timeoutMs: TRANSFER_MS,
    });
    requireSuccess(response, 'give the document');
    const { headers } = response;
    if (compressionAlgorithm !== 'GZIP') return { headers, bytes: response.bytes };
    try {
      return { headers, bytes: await unzip(response.bytes, { maxOutputLength: MAX_BYTES }) };
    } catch {
      throw new ChannelProtocolError('the document of a feed or report cannot be unpacked');
    }
  }
}

/**
 * The lines of a tab-separated file, of each the columns that are wanted, by their names in lower case. A column that
 * the file does not have is missing.
 */
export function* tableRows(text: string, wanted: readonly string[]): Generator<Record<string, string>> {
  let columns: [name: string, index: number][] | undefined;
  for (const line of linesOf(text)) {
    if (line === '') continue;
    const values = line.split('\t');
    if (columns) yield Object.fromEntries(columns.map(([name, index]) => [name, values[index] ?? '']));
    else {
      const names = values.map((name) => name.trim().toLowerCase());
      columns = wanted.map((name): [string, number] => [name, names.indexOf(name)]);
      columns = columns.filter(([, index]) => index >= 0);
    }
  }
}

/** One after the other, for a catalogue is too long to be cut up at once. */
function* linesOf(text: string): Generator<string> {
  let start = text.startsWith('\ufeff') ? 1 : 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end < 0 ? text.length : end);
    yield line.endsWith('\r') ? line.slice(0, -1) : line;
    if (end < 0) return;
    start = end + 1;
  }
}

function requireSuccess({ status }: ChannelHttpResponse, what: string): void {
  if (status >= 200 && status < 300) return;
  // An address that has ended is answered 403 by the storage; a new one is asked for with the next try.
  throw new ChannelUnavailableError(`Amazon's document storage did not ${what}: it answered ${status}`);
}

/** Flat files of older marketplaces are not in UTF-8; their type says so. */
function decoder(contentType: string | undefined) {
  const named =
    /charset="?([^";]+)"?/i
      .exec(contentType ?? '')?.[1]
      ?.trim()
      .toLowerCase() ?? 'utf-8';
  try {
    return new TextDecoder(CHARSETS[named] ?? named);
  } catch {
    throw new ChannelProtocolError('the document of a feed or report is in an unknown encoding');
  }
}
