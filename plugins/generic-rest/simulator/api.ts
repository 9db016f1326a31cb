import { timingSafeEqual } from 'node:crypto';
import {
  jsonWithBareIds,
  SimulatorRefusal,
  type SimulatedReply,
  type SimulatedRequest,
  type SimulatedShop,
} from 'onhand/channel-api';
import type { Wire } from './wire';

type Row = Partial<Record<'sku' | 'location' | 'quantity' | 'expected', unknown>>;

/** The shop's routes, behind its token. */
export class ShopApi {
  constructor(
    private readonly shop: SimulatedShop,
    private readonly wire: Wire,
    private readonly token: string,
  ) {}

  answer(request: SimulatedRequest): SimulatedReply {
    if (!sameText(request.headers.authorization ?? '', `Bearer ${this.token}`)) {
      return refusalOf(401, 'unauthorized', 'The token is not valid.');
    }
    try {
      return this.route(request, jsonIn(request.body));
    } catch (error) {
      if (!(error instanceof SimulatorRefusal)) throw error;
      return refusalOf(error.status, error.code, error.message, error.shownUnits);
    }
  }

  private route(request: SimulatedRequest, body: unknown): SimulatedReply {
    const [api, collection, id, action, ...rest] = request.path.split('/').slice(1).map(decoded);
    if (api === 'api' && rest.length === 0) {
      const name = [request.method, collection, id === undefined ? '' : 'one', action ?? ''].join(' ').trim();
      if (name === 'GET inventory') return ok(this.inventoryPage(request.query));
      if (name === 'POST inventory one' && id === 'batch') return this.pushBatch(body, request.pretend);
      if (name === 'PUT inventory one') return ok(this.push({ ...asObject(body), sku: id }, request.pretend));
      if (name === 'GET orders') return ok(this.ordersPage(request.query));
      if (name === 'GET orders one') return ok(this.wire.order(this.shop.order(id as string)));
      if (name === 'POST orders one cancel') {
        return this.cancel(id as string, body, request.headers['idempotency-key']);
      }
    }
    throw new SimulatorRefusal(404, 'unknown-route', 'There is nothing at this address.');
  }

  private inventoryPage(query: URLSearchParams): unknown {
    const page = this.shop.inventoryPage(query.get('cursor'), limitIn(query));
    return { items: page.items.map((item) => this.wire.item(item)), next_cursor: page.nextCursor };
  }

  private ordersPage(query: URLSearchParams): unknown {
    const page = this.shop.ordersPage(query.get('updated_since'), query.get('cursor'), limitIn(query));
    return { items: page.items.map((order) => this.wire.order(order)), next_cursor: page.nextCursor };
  }

  /** 207 as soon as one row is refused; every row has its own result. */
  private pushBatch(body: unknown, pretend: boolean): SimulatedReply {
    if (!Array.isArray(body) || body.length > 1000) {
      throw new SimulatorRefusal(422, 'invalid-batch', 'The body must be a list of at most 1000 rows.');
    }
    const results = body.map((row: unknown) => {
      const given = asObject(row);
      try {
        return this.push(given, pretend);
      } catch (error) {
        if (!(error instanceof SimulatorRefusal)) throw error;
        const { code, message, shownUnits } = error;
        return {
          sku: given.sku,
          error: { code, message, retryable: false },
          ...(shownUnits === undefined ? {} : { shown: shownUnits }),
        };
      }
    });
    return { status: results.some((result) => 'error' in result) ? 207 : 200, body: { results } };
  }

  private push(row: Row, pretend: boolean): object {
    const { sku, location, quantity, expected } = row;
    const pushed = {
      channelSku: sku,
      channelLocation: location,
      quantityUnits: quantity,
      expectedUnits: expected,
    };
    return this.wire.item(this.shop.setQuantity(pushed, pretend));
  }

  private cancel(orderId: string, body: unknown, key: string | undefined): SimulatedReply {
    if (this.shop.requestCancel(orderId, unitsIn(body), key) === 'cancelled')
      return ok(this.wire.order(this.shop.order(orderId)));
    return { status: 202, body: { receipt: `cancellation-${orderId}` } };
  }
}

function unitsIn(body: unknown): Map<string, number> {
  const { lines } = asObject(body) as { lines?: unknown };
  const units = new Map<string, number>();
  for (const line of Array.isArray(lines) ? (lines as unknown[]) : []) {
    const { id, quantity } = asObject(line) as { id?: unknown; quantity?: unknown };
    if (
      typeof id !== 'string' ||
      typeof quantity !== 'number' ||
      !Number.isSafeInteger(quantity) ||
      quantity < 1
    ) {
      throw new SimulatorRefusal(
        422,
        'invalid-lines',
        'Each line needs an id and a whole quantity, 1 or more.',
      );
    }
    units.set(id, (units.get(id) ?? 0) + quantity);
  }
  if (units.size === 0) throw new SimulatorRefusal(422, 'invalid-lines', 'Say which lines to cancel.');
  return units;
}

function jsonIn(body: Buffer): unknown {
  try {
    return body.length === 0 ? undefined : JSON.parse(body.toString('utf8'));
  } catch {
    throw new SimulatorRefusal(400, 'invalid-json', 'The body is not JSON.');
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new SimulatorRefusal(404, 'unknown-route', 'The address is not encoded as UTF-8.');
  }
}

function asObject(value: unknown): Row {
  return typeof value === 'object' && value !== null ? (value as Row) : {};
}

function limitIn(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? 100);
  return Number.isInteger(limit) ? Math.min(Math.max(limit, 1), 250) : 100;
}

function ok(body: unknown): SimulatedReply {
  return { status: 200, headers: { 'content-type': 'application/json' }, text: jsonWithBareIds(body) };
}

function refusalOf(status: number, code: string, message: string, shown?: number): SimulatedReply {
  return { status, body: { error: { code, message }, ...(shown === undefined ? {} : { shown }) } };
}

function sameText(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
