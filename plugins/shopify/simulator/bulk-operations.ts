import { randomBytes } from 'node:crypto';
import { type DocumentNode, type ExecutionResult, Kind, parse, type SelectionSetNode } from 'graphql';
import type { SimulatedReply } from 'onhand/channel-api';
import { gid, type IdSequence } from './ids';
import { errorsOf } from './inventory-mutations';
import { refusal } from './refusal';

interface BulkOperation {
  readonly id: string;
  readonly createdAt: string;
  status: 'CREATED' | 'RUNNING' | 'COMPLETED' | 'FAILED';
  errorCode: string | null;
  completedAt: string | null;
  result: Buffer | undefined;
  readonly path: string;
}

/** Since 2026-01 so many run at once in a shop (shopify.dev/changelog/faster-bulk-operations). */
const MOST_AT_ONCE = 5;
const MOST_CONNECTIONS = 5;
const MOST_DEPTH = 2;

/**
 * Queries over whole connections, run apart from the call that asks for them
 * (shopify.dev/docs/api/usage/bulk-operations/queries). Each node of each connection is a line of JSON; one of a
 * nested connection names its parent by `__parentId` and comes after it.
 */
export class BulkOperations {
  private readonly operations = new Map<string, BulkOperation>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private failNext = false;

  constructor(
    private readonly ids: IdSequence,
    private readonly execute: (document: DocumentNode) => Promise<ExecutionResult>,
    /** Where results are fetched: the simulator's own address. */
    private readonly baseUrl: () => string,
    private readonly lastsMs: number,
  ) {}

  /** The next operation ends as failed. */
  breakNext(): void {
    this.failNext = true;
  }

  run = ({ query }: { query: string }): object => {
    try {
      const document = checked(query);
      const running = [...this.operations.values()].filter(({ completedAt }) => completedAt === null);
      if (running.length >= MOST_AT_ONCE)
        throw refusal(['query'], 'The shop runs as many bulk operations as it may.', 'LIMIT_REACHED');
      const operation = this.started();
      this.later(() => {
        operation.status = 'RUNNING';
        this.later(() => void this.finish(operation, document));
      });
      return { bulkOperation: this.nodeOf(operation), userErrors: [] };
    } catch (error) {
      return { bulkOperation: null, userErrors: errorsOf(error) };
    }
  };

  find = ({ id }: { id: string }): object | null => {
    const operation = this.operations.get(id);
    return operation ? this.nodeOf(operation) : null;
  };

  /** The file at a path of the simulator's address, or the part of it that `range` asks for; 404 where there is none. */
  answer(path: string, range: string | undefined): SimulatedReply {
    const result = [...this.operations.values()].find((each) => each.path === path)?.result;
    if (!result) return { status: 404, text: 'Not Found' };
    const headers = { 'content-type': 'application/jsonl', 'accept-ranges': 'bytes' };
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
    if (first === undefined) return { status: 200, headers, text: result };
    const [from, to] = [Number(first), Math.min(Number(last || Infinity), result.length - 1)];
    if (from >= result.length)
      return { status: 416, headers: { ...headers, 'content-range': `bytes */${result.length}` }, text: '' };
    const contentRange = `bytes ${from}-${to}/${result.length}`;
    return {
      ...{ status: 206, headers: { ...headers, 'content-range': contentRange } },
      text: result.subarray(from, to + 1),
    };
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  private started(): BulkOperation {
    const operation: BulkOperation = {
      ...{ id: gid('BulkOperation', this.ids.next()), createdAt: new Date().toISOString() },
      ...{ status: 'CREATED', errorCode: null, completedAt: null, result: undefined },
      path: `/bulk/${randomBytes(12).toString('hex')}.jsonl`,
    };
    this.operations.set(operation.id, operation);
    return operation;
  }

  private async finish(operation: BulkOperation, document: DocumentNode): Promise<void> {
    const { data, errors } = await this.execute(document);
    const hasFailed = this.failNext || errors !== undefined || !data;
    this.failNext = false;
    operation.completedAt = new Date().toISOString();
    operation.status = hasFailed ? 'FAILED' : 'COMPLETED';
    operation.errorCode = hasFailed ? 'INTERNAL_SERVER_ERROR' : null;
    if (hasFailed) return;
    const lines = [...linesIn(data)];
    operation.result = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  /** The result's address is known once it is there, and null where it is empty. */
  private nodeOf({ result, path, ...operation }: BulkOperation): object {
    const isThere = result !== undefined && result.length > 0;
    return {
      ...{ __typename: 'BulkOperation', ...operation },
      url: isThere ? `${this.baseUrl()}${path}` : null,
      fileSize: result === undefined ? null : String(result.length),
    };
  }

  private later(run: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      run();
    }, this.lastsMs / 2);
    this.timers.add(timer);
  }
}

type Line = Record<string, unknown>;

/**
 * The nodes of all connections, each without the connections that it has itself. Without `groupObjects` a node
 * comes after its parent, and with others in between.
 */
function* linesIn(data: Line): Generator<Line> {
  const waiting: { value: Line; parentId?: unknown }[] = [{ value: data }];
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { value, parentId } = next;
    for (const node of Object.values(value).flatMap(nodesOf)) {
      const own = Object.entries(node).filter(([, inner]) => !isConnection(inner));
      yield { ...Object.fromEntries(own), ...(parentId === undefined ? {} : { __parentId: parentId }) };
      waiting.push({ value: node, parentId: node.id });
    }
  }
}

function nodesOf(value: unknown): Line[] {
  return isConnection(value) ? value.edges.map(({ node }) => node) : [];
}

function isConnection(value: unknown): value is { edges: { node: Line }[] } {
  return typeof value === 'object' && value !== null && 'edges' in value && Array.isArray(value.edges);
}

/** Throws `ShopRefusal` on a query that Shopify would not run in bulk. */
function checked(query: string): DocumentNode {
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch (error) {
    throw refusal(['query'], `Invalid bulk query: ${(error as Error).message}`, 'INVALID');
  }
  const [operation] = document.definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION || operation.operation !== 'query')
    throw refusal(['query'], 'Invalid operation type. Only `query` operations are supported.', 'INVALID');
  const connections = connectionsIn(operation.selectionSet, 0);
  const fault = (message: string) => refusal(['query'], message, 'INVALID');
  if (connections.length === 0) throw fault('Bulk queries must contain at least one connection.');
  if (connections.length > MOST_CONNECTIONS)
    throw fault(`Bulk queries cannot contain more than ${MOST_CONNECTIONS} connections.`);
  if (connections.some(({ depth }) => depth >= MOST_DEPTH + 1))
    throw fault(`Bulk queries cannot contain connections with a nesting depth greater than ${MOST_DEPTH}.`);
  const listed = connections.filter(({ isByNodes }) => isByNodes).map(({ name }) => `'${name}'`);
  if (listed.length > 0)
    throw fault(
      "All connection fields in a bulk query must select their contents using 'edges' > 'node'. " +
        `Selecting via 'nodes' is not supported. Invalid connection fields: ${listed.join(', ')}.`,
    );
  const nameless = connections.filter(({ hasNested, hasId }) => hasNested && !hasId).map(({ name }) => name);
  if (nameless.length > 0)
    throw fault(
      "The parent 'node' field for a nested connection must select the 'id' field without an alias. " +
        `Connection fields without 'id': ${nameless.join(', ')}.`,
    );
  return document;
}

interface ConnectionField {
  name: string;
  depth: number;
  isByNodes: boolean;
  hasNested: boolean;
  hasId: boolean;
}

/** Fields that select `edges` or `nodes`, which only connections have. */
function connectionsIn(selection: SelectionSetNode, depth: number): ConnectionField[] {
  return selection.selections.flatMap((field) => {
    if (field.kind !== Kind.FIELD || !field.selectionSet) return [];
    const inner = fieldNamed(field.selectionSet, 'edges') ?? fieldNamed(field.selectionSet, 'nodes');
    if (!inner) return connectionsIn(field.selectionSet, depth);
    const node = fieldNamed(inner, 'node') ?? inner;
    const nested = connectionsIn(node, depth + 1);
    const own: ConnectionField = {
      ...{ name: field.name.value, depth, hasNested: nested.length > 0 },
      isByNodes: fieldNamed(field.selectionSet, 'edges') === undefined,
      hasId: node.selections.some(
        (each) => each.kind === Kind.FIELD && each.name.value === 'id' && !each.alias,
      ),
    };
    return [own, ...nested];
  });
}

function fieldNamed(selection: SelectionSetNode, name: string): SelectionSetNode | undefined {
  for (const each of selection.selections)
    if (each.kind === Kind.FIELD && each.name.value === name) return each.selectionSet;
  return undefined;
}
