import {
  ChannelProtocolError,
  ChannelRequestError,
  isChannelError,
  type ChannelError,
  type ChannelHttpResponse,
  type InventoryUpdate,
  type PushResult,
} from 'onhand/channel-api';
import { fillPath, type GenericRestClient } from './generic-rest.client';
import { fieldOf, readLabel, setField } from './generic-rest.fields';
import type { PushOptions } from './generic-rest.options';
import { pushRow } from './generic-rest.translate';

/** Answers by which a shop refuses what a request says, not that it was asked. */
const REFUSALS = [400, 404, 409, 410, 413, 422];

/** So many rows in a row without an answer are the shop being away, not bad rows. */
const UNANSWERED_IN_A_ROW = 3;

export type ResolvedPush = PushOptions & Required<Pick<PushOptions, 'method' | 'path' | 'batchSize'>>;

export function resolvePush(push: PushOptions): ResolvedPush {
  const defaults = push.batch
    ? { method: 'POST' as const, path: '/api/inventory/batch', batchSize: 100 }
    : { method: 'PUT' as const, path: '/api/inventory/{sku}', batchSize: 20 };
  return {
    ...push,
    method: push.method ?? defaults.method,
    path: push.path ?? defaults.path,
    batchSize: push.batchSize ?? defaults.batchSize,
  };
}

/** A shop that takes a location keeps stock by location. */
export function isByLocation({ fields, path }: ResolvedPush): boolean {
  return fields.location !== undefined || path.includes('{location}');
}

/** One result per update. Throws a channel error only where no row was answered: the host sends all again. */
export function pushInventory(
  client: GenericRestClient,
  push: ResolvedPush,
  updates: readonly InventoryUpdate[],
): Promise<PushResult[]> {
  return push.batch ? pushBatch(client, push, updates) : pushEach(client, push, updates);
}

/**
 * A shop that refuses a whole batch for one bad row is sent its halves, down to the row that is at fault.
 * Quantities are absolute, so that a row sent twice does no harm.
 */
async function pushBatch(
  client: GenericRestClient,
  push: ResolvedPush,
  updates: readonly InventoryUpdate[],
): Promise<PushResult[]> {
  if (updates.length === 0) return [];
  const response = await client.send({
    method: push.method,
    path: push.path,
    option: 'push.path',
    json: batchBody(push, updates),
  });
  if (isSuccess(response)) return resultsByRow(push, updates, bodyOf(response));
  if (response.status === 404 || !REFUSALS.includes(response.status)) throw unexpected(push, response);
  const [only] = updates;
  if (updates.length === 1 && only) return [rejected(only, response)];
  const middle = Math.ceil(updates.length / 2);
  const first = await pushBatch(client, push, updates.slice(0, middle));
  return [...first, ...(await pushOrGiveUp(client, push, updates.slice(middle)))];
}

/** The second half's failure must not lose what the first half was answered. */
async function pushOrGiveUp(
  client: GenericRestClient,
  push: ResolvedPush,
  updates: readonly InventoryUpdate[],
): Promise<PushResult[]> {
  try {
    return await pushBatch(client, push, updates);
  } catch (error) {
    if (!isChannelError(error)) throw error;
    return updates.map((update) => unanswered(update, error));
  }
}

function batchBody(push: ResolvedPush, updates: readonly InventoryUpdate[]): unknown {
  const rows = updates.map((update) => pushRow(update, push.fields));
  if (push.itemsPath === '') return rows;
  const body: Record<string, unknown> = {};
  setField(body, push.itemsPath, rows);
  return body;
}

/** Results are matched by SKU; where a SKU was sent for several locations, in the order sent. */
function resultsByRow(push: ResolvedPush, updates: readonly InventoryUpdate[], body: unknown): PushResult[] {
  if (push.answers === 'status') return updates.map(applied);
  const { itemsPath, sku } = push.results;
  const rows = fieldOf({ value: body, path: '' }, itemsPath).value;
  if (!Array.isArray(rows)) {
    throw new ChannelProtocolError(
      `${push.method} ${push.path}: its answer has no list at "${itemsPath}"; check options.push.results, or set options.push.answers to "status"`,
    );
  }
  const rowsBySku = groupBySku(rows, sku);
  return updates.map((update) => {
    const row = rowsBySku.get(update.channelSku)?.shift();
    return row === undefined ? withoutResult(update) : resultOf(push, update, row);
  });
}

function groupBySku(rows: unknown[], path: string): Map<string, unknown[]> {
  const groups = new Map<string, unknown[]>();
  for (const row of rows) {
    const { value } = fieldOf({ value: row, path: '' }, path);
    const sku = String(value);
    const group = groups.get(sku);
    if (group) group.push(row);
    else groups.set(sku, [row]);
  }
  return groups;
}

function withoutResult({ pushId }: InventoryUpdate): PushResult {
  const reason = 'the shop answered the batch without a result for this SKU';
  return { pushId, outcome: 'rejected', code: 'no-result', reason, retryable: true };
}

/** A 2xx is not yet a yes: many APIs answer 200 with the error in the body. */
function resultOf(push: ResolvedPush, update: InventoryUpdate, row: unknown): PushResult {
  const { pushId } = update;
  const field = (path: string) => fieldOf({ value: row, path: '' }, path);
  const code = readLabel(field(push.results.code));
  if (code === undefined) return applied(update);
  const stale = push.fields.expected === undefined ? undefined : field(push.results.shown).value;
  if (typeof stale === 'number' && Number.isSafeInteger(stale) && stale >= 0) {
    return { pushId, outcome: 'stale', shownUnits: stale };
  }
  const reason = readLabel(field(push.results.message)) ?? 'the shop gives no reason';
  return {
    pushId,
    outcome: 'rejected',
    code,
    reason,
    retryable: field(push.results.retryable).value === true,
  };
}

/** One call per row. A row that fails costs only itself; a shop that is away is not asked for the rest. */
async function pushEach(
  client: GenericRestClient,
  push: ResolvedPush,
  updates: readonly InventoryUpdate[],
): Promise<PushResult[]> {
  const results: PushResult[] = [];
  let answeredAny = false;
  let failures: ChannelError[] = [];
  for (const update of updates) {
    const last = failures.at(-1);
    if (last && (concernsAllRows(last) || failures.length >= UNANSWERED_IN_A_ROW)) {
      results.push(unanswered(update, last));
      continue;
    }
    try {
      results.push(await pushOne(client, push, update));
      answeredAny = true;
      failures = [];
    } catch (error) {
      if (!isChannelError(error)) throw error;
      failures.push(error);
      results.push(unanswered(update, error));
    }
  }
  if (!answeredAny && failures[0]) throw failures.at(-1);
  return results;
}

function concernsAllRows({ code }: ChannelError): boolean {
  return code !== 'channel-unavailable' && code !== 'channel-protocol';
}

async function pushOne(
  client: GenericRestClient,
  push: ResolvedPush,
  update: InventoryUpdate,
): Promise<PushResult> {
  const path = fillPath(push.path, { sku: update.channelSku, location: update.channelLocation });
  if (path === undefined) {
    const reason = `the SKU or location cannot stand in the path ${push.path}`;
    return { pushId: update.pushId, outcome: 'rejected', code: 'unaddressable', reason, retryable: false };
  }
  const json = pushRow(update, push.fields);
  const response = await client.send({ method: push.method, path, option: 'push.path', json });
  if (isSuccess(response)) return resultOf(push, update, bodyOf(response));
  // Only a shop that is told what we believe can say that it shows something else.
  const result = push.fields.expected === undefined ? undefined : staleIn(push, update, response);
  if (result?.outcome === 'stale') return result;
  if (REFUSALS.includes(response.status)) return rejected(update, response);
  throw unexpected(push, response);
}

function staleIn(
  push: ResolvedPush,
  update: InventoryUpdate,
  response: ChannelHttpResponse,
): PushResult | undefined {
  try {
    return resultOf(push, update, bodyOf(response));
  } catch (error) {
    // A refusal may come as a page for people.
    if (error instanceof ChannelProtocolError) return undefined;
    throw error;
  }
}

/** The parsed answer, undefined when it is empty. Throws `ChannelProtocolError` on an HTML page under 200. */
function bodyOf(response: ChannelHttpResponse): unknown {
  return response.text.trim() === '' ? undefined : response.json();
}

function isSuccess(response: ChannelHttpResponse): boolean {
  return response.status >= 200 && response.status < 300;
}

function applied({ pushId }: InventoryUpdate): PushResult {
  return { pushId, outcome: 'applied' };
}

function unanswered({ pushId }: InventoryUpdate, error: ChannelError): PushResult {
  return { pushId, outcome: 'rejected', code: error.code, reason: error.message, retryable: error.retryable };
}

/** The status alone: the shop's own words may be an HTML page. */
function rejected({ pushId }: InventoryUpdate, { status }: ChannelHttpResponse): PushResult {
  const reason =
    status === 404 || status === 410
      ? `the shop answered ${status}: it does not know this SKU`
      : `the shop answered ${status} to this row`;
  return { pushId, outcome: 'rejected', code: `status-${status}`, reason, retryable: status === 409 };
}

function unexpected(push: ResolvedPush, { status }: ChannelHttpResponse): ChannelError {
  const call = `${push.method} ${push.path} answered ${status}`;
  if (status === 404 || status === 405) {
    return new ChannelRequestError(
      `${call}; check options.baseUrl, options.push.path and options.push.method`,
    );
  }
  return new ChannelProtocolError(`${call}, which is neither a result nor a refusal the plugin knows`);
}
