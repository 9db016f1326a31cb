import {
  ChannelProtocolError,
  ChannelThrottledError,
  ChannelUnauthorizedError,
  type ChannelHost,
  UntranslatableError,
} from 'onhand/channel-api';
import { readable, type ShopifyClient, type UserError } from './shopify.client';
import { BULK_LEVELS } from './shopify.documents';
import { globalId, shortId } from './shopify.ids';
import { BULK, type LevelNode, type LevelPage, type PlacedLevel } from './shopify.levels';

/** Bytes of the result held at once: about two thousand levels. */
const CHUNK_BYTES = 512 * 1024;
/** No line of it is longer, by far. */
const LONGEST_CHUNK_BYTES = 8 * 1024 * 1024;
/** How long an operation may take; one over a million levels takes minutes. */
const PATIENCE_MS = 60 * 60_000;
const LONGEST_PAUSE_MS = 10_000;
/** Others of the shop's bulk operations go first. */
const BUSY_MS = 60_000;

interface BulkOperation {
  id: string;
  status: string;
  errorCode: string | null;
  url: string | null;
}

interface BulkLine extends LevelNode {
  __parentId?: string;
}

/**
 * Every level of the shop by one bulk operation. Its result is a file of a line per level, which is read by
 * ranges of bytes: no more than one is held at a time, and a read that broke off goes on at its byte.
 * @see https://shopify.dev/docs/api/usage/bulk-operations/queries
 */
export async function* readBulkLevels(
  client: ShopifyClient,
  host: Pick<ChannelHost, 'clock' | 'log'>,
  cursor?: string,
): AsyncGenerator<LevelPage> {
  const [, from, at] = cursor?.split(':') ?? [];
  const id = from === undefined ? await startOperation(client, host) : globalId('BulkOperation', from);
  const operation = await completed(client, host, id);
  if (operation.url === null) {
    yield { levels: [] };
    return;
  }
  const shown = shortId(id, 'BulkOperation', 'bulkOperation.id');
  let offset = Number(at ?? 0);
  for (;;) {
    const part = await readPart(client, operation.url, offset);
    offset += part.bytes;
    const levels = part.lines.flatMap(levelIn);
    yield part.isLast ? { levels } : { levels, cursor: `${BULK}:${shown}:${offset}` };
    if (part.isLast) return;
  }
}

async function startOperation(client: ShopifyClient, { log }: Pick<ChannelHost, 'log'>): Promise<string> {
  const { bulkOperationRunQuery } = await client.run<{
    bulkOperationRunQuery: { bulkOperation: { id: string } | null; userErrors: UserError[] };
  }>('RunBulkQuery', { query: BULK_LEVELS });
  const { bulkOperation, userErrors } = bulkOperationRunQuery;
  if (bulkOperation) {
    log.info('reading the inventory by a bulk operation', { operation: bulkOperation.id });
    return bulkOperation.id;
  }
  const [error] = userErrors;
  if (error?.code === 'OPERATION_IN_PROGRESS' || error?.code === 'LIMIT_REACHED')
    throw new ChannelThrottledError("the shop's other bulk operations have to end first", BUSY_MS);
  throw new ChannelProtocolError(`the bulk operation was not begun: ${readable(error?.message)}`);
}

async function completed(
  client: ShopifyClient,
  { clock }: Pick<ChannelHost, 'clock'>,
  id: string,
): Promise<BulkOperation> {
  const until = clock.now().getTime() + PATIENCE_MS;
  for (
    let pauseMs = 250;
    clock.now().getTime() < until;
    pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)
  ) {
    const { bulkOperation } = await client.run<{ bulkOperation: BulkOperation | null }>('BulkOperation', {
      id,
    });
    switch (bulkOperation?.status) {
      case 'COMPLETED':
        return bulkOperation;
      case 'CREATED':
      case 'RUNNING':
      case 'CANCELING':
        await clock.sleep(pauseMs);
        continue;
      case undefined:
        throw new UntranslatableError('the bulk operation that was read is gone; read anew');
      default:
        throw failureOf(bulkOperation as BulkOperation);
    }
  }
  throw new ChannelProtocolError('the bulk operation does not come to an end; cancel it in the shop');
}

function failureOf({ status, errorCode }: BulkOperation): Error {
  if (errorCode === 'ACCESS_DENIED')
    return new ChannelUnauthorizedError('the bulk operation may not read the inventory; see `onhand doctor`');
  return new ChannelProtocolError(`the bulk operation ended as ${status} (${errorCode ?? 'no error code'})`);
}

/** Whole lines from this byte on; what of a line is cut off at the end is left for the next part. */
async function readPart(
  client: ShopifyClient,
  url: string,
  offset: number,
): Promise<{ lines: string[]; bytes: number; isLast: boolean }> {
  for (let size = CHUNK_BYTES; size <= LONGEST_CHUNK_BYTES; size *= 2) {
    const response = await client.download(url, offset, offset + size - 1);
    if (response.status === 416) return { lines: [], bytes: 0, isLast: true };
    // Whoever does not know ranges gives the whole file, from its first byte.
    const whole = response.status === 200;
    const text = whole ? Buffer.from(response.text).subarray(offset).toString() : response.text;
    const isLast = whole || offset + size >= totalOf(response.headers['content-range']);
    const end = isLast ? text.length : text.lastIndexOf('\n') + 1;
    if (end === 0 && !isLast) continue;
    const lines = text
      .slice(0, end)
      .split('\n')
      .filter((line) => line !== '');
    // Up to a line's end no character is cut, so that its bytes can be counted.
    return { lines, bytes: Buffer.byteLength(text.slice(0, end)), isLast };
  }
  throw new ChannelProtocolError('the result of the bulk operation is not in lines');
}

/** From `bytes 0-99/1234`; a total that is not said is taken to be further on. */
function totalOf(contentRange: string | undefined): number {
  const total = /\/(\d+)$/.exec(contentRange ?? '')?.[1];
  return total === undefined ? Infinity : Number(total);
}

/** Lines of locations, which the levels hang below, say nothing that their levels do not. */
function levelIn(line: string): PlacedLevel[] {
  let parsed: BulkLine;
  try {
    parsed = JSON.parse(line) as BulkLine;
  } catch {
    throw new ChannelProtocolError('the result of the bulk operation has a line that is not JSON');
  }
  const { __parentId: location, ...level } = parsed;
  return location === undefined ? [] : [{ level, location }];
}
