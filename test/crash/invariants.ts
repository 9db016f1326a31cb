import type { OrderDocumentLine } from '../../src/channel-api';
import type { AnswerBook } from './answers';
import type { CrashWorld } from './crash-world';
import { LIMIT, LISTINGS, type Shop } from './shops';
import type { Reserved, Traffic } from './traffic';

/** Calls on their way may come closer together than they were sent: by half a second's worth, and a few. */
const BUNCHED = LIMIT.perSecond / 2 + 5;
/** A database that is killed forgets less than a second of calls, by design (src/channels/shared-limit-store.ts). */
const FORGOTTEN = LIMIT.perSecond;

interface LineRow {
  channel: string;
  orderId: string;
  lineId: string;
  code: string;
  net: number;
  fulfilled: number;
  returned: number;
  short: number;
}

/** What must hold of a world at rest, beside what had to come true for it to be at rest. Changes nothing. */
export async function brokenInvariants(world: CrashWorld, traffic: Traffic): Promise<string[]> {
  return [
    ...(await verify(world)),
    ...(await ledgerAgainstLevels(world)),
    ...(await ordersAgainstShops(world, traffic)),
    ...(await reservationsAgainstAnswers(world, traffic)),
    ...(await stockAgainstAnswers(world, traffic.book)),
    ...(await webhooksAgainstAnswers(world, traffic.book)),
    ...traffic.book.contradictions,
    ...world.shops.flatMap((shop) => limitBroken(shop, BUNCHED + FORGOTTEN)),
    ...world.seats.flatMap(({ fell }) => fell),
  ];
}

/** The host's own look at itself. */
async function verify({ api }: CrashWorld): Promise<string[]> {
  const { status, body } = await api.post<{ ok: boolean; violations: unknown[] }>('/v1/ledger/verify');
  if (status === 200 && body.ok) return [];
  return [`I1 to I3: verify was answered ${status}: ${JSON.stringify(body.violations ?? body)}`];
}

/** I1 and I3 without the host's code: sums, versions without a gap, nothing below zero, nothing changed afterwards. */
async function ledgerAgainstLevels({ pool }: CrashWorld): Promise<string[]> {
  const { rows } = await pool.query<{ message: string }>(LEDGER_AGAINST_LEVELS);
  const refused = await pool.query('UPDATE ledger SET quantity = quantity WHERE false').then(
    () => ['I1: the database lets the ledger be changed'],
    () => [],
  );
  return [...rows.map(({ message }) => message), ...refused];
}

/** I2: of each line exactly what its shop says is promised or short, shipped and returned; each order once. */
async function ordersAgainstShops(world: CrashWorld, { placed }: Traffic): Promise<string[]> {
  const { rows } = await world.pool.query<LineRow>(ORDER_LINES);
  const lines = new Map(rows.map((row) => [`${row.channel} ${row.orderId} ${row.lineId} ${row.code}`, row]));
  return placed.flatMap(({ channel, orderId }) => {
    const order = world.shop(channel).simulator.order(orderId);
    return order.lines.flatMap((line) =>
      [...LISTINGS.get(line.channelSku)!].flatMap(([sku, units]) =>
        differs(line, units, lines.get(`${channel} ${orderId} ${line.lineId} ${sku}`)).map(
          (what) => `I2: line ${line.lineId} of ${channel} order ${orderId}, ${sku}: ${what}`,
        ),
      ),
    );
  });
}

function differs(line: OrderDocumentLine, units: number, row: LineRow | undefined): string[] {
  const wanted = Math.max(line.ordered - line.cancelled, line.fulfilled) * units;
  const net = Number(row?.net ?? 0);
  const short = Number(row?.short ?? 0);
  const shipped = Math.min(line.fulfilled * units, net);
  const back = Math.min(line.returned * units, shipped);
  const is = [net + short, Number(row?.fulfilled ?? 0), Number(row?.returned ?? 0)].join(', ');
  const right = [wanted, shipped, back].join(', ');
  return is === right ? [] : [`promised or short, shipped, returned are ${is}; the shop makes it ${right}`];
}

/** I4 and I9: what was answered is so, and there is nothing that nobody asked for. */
async function reservationsAgainstAnswers(
  { pool }: CrashWorld,
  { reserved, book }: Traffic,
): Promise<string[]> {
  const { rows } = await pool.query<{ id: string; state: string; reserved: string }>(API_RESERVATIONS);
  const stored = new Map(rows.map((row) => [row.id, row]));
  const made = reserved.filter(({ call }) => call.status === 201);
  const broken = made.flatMap((one) => {
    const { id, lines } = one.call.answer as { id: string; lines: { quantity: number }[] };
    const row = stored.get(id);
    if (!row) return [`I4: reservation ${id} was answered 201 and is not there`];
    const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
    const state = stateOf(one);
    if (row.state === state && Number(row.reserved) === units) return [];
    return [`I4: reservation ${id} is ${row.state} of ${row.reserved}, answers make it ${state} of ${units}`];
  });
  const keys = new Set(book.calls.filter((call) => call.path === '/v1/reservations').map(({ key }) => key));
  if (rows.length !== made.length)
    broken.push(
      `I9: ${rows.length} API reservations for ${made.length} answered with 201, of ${keys.size} keys`,
    );
  return broken;
}

/** A change that was refused came after the hold had run out. */
function stateOf({ isHold, change }: Reserved): string {
  if (change?.call.status === 200)
    return { confirm: 'confirmed', release: 'released', fulfil: 'fulfilled' }[change.kind];
  return isHold ? 'expired' : 'confirmed';
}

/** I4: all units are those that came in by answered events, less what was shipped, and what came back. */
async function stockAgainstAnswers({ pool }: CrashWorld, book: AnswerBook): Promise<string[]> {
  const { rows } = await pool.query<{ code: string; physical: string; gone: string }>(PHYSICAL);
  const came = new Map<string, number>();
  for (const { path, body, status } of book.calls) {
    const { sku, quantity } = body as { sku: string; quantity: number };
    if (path === '/v1/events' && status === 201) came.set(sku, (came.get(sku) ?? 0) + quantity);
  }
  return rows.flatMap(({ code, physical, gone }) => {
    const right = (came.get(code) ?? 0) - Number(gone);
    if (Number(physical) === right) return [];
    return [`I4: ${code} has ${physical} units, what was answered makes it ${right}`];
  });
}

/** I4: a poll finds the order of a webhook that was lost, and must not hide that it was. */
async function webhooksAgainstAnswers({ pool }: CrashWorld, { webhooks }: AnswerBook): Promise<string[]> {
  const { rows } = await pool.query<{ known: string }>(
    `SELECT channel || ' ' || encode(sha256(body), 'hex') AS known FROM inbox`,
  );
  const known = new Set(rows.map((row) => row.known));
  const lost = webhooks.filter(
    ({ status, channel, digest }) => status === 200 && !known.has(`${channel} ${digest}`),
  );
  return lost.map(
    ({ channel, orderId, revision }) =>
      `I4: the webhook of ${channel} order ${orderId}, revision ${revision}, was answered 200 and is not there`,
  );
}

/** I7 from the shop's own log: no stretch of time has more calls than burst and rate allow. */
function limitBroken({ name, simulator }: Shop, tolerance: number): string[] {
  let emptiest = Infinity;
  let most = 0;
  for (const [index, { at }] of simulator.calls.entries()) {
    const paid = index - (at / 1000) * LIMIT.perSecond;
    emptiest = Math.min(emptiest, paid);
    most = Math.max(most, paid + 1 - emptiest);
  }
  if (most <= LIMIT.burst + tolerance) return [];
  return [`I7: ${name} saw ${Math.ceil(most)} calls at once where ${LIMIT.burst} are allowed`];
}

const LEDGER_AGAINST_LEVELS = `
  WITH moved AS (
    SELECT sku_id, location_id, count(*) AS events, max(version) AS newest,
           sum(CASE WHEN to_state = 'available' THEN quantity ELSE 0 END - CASE WHEN from_state = 'available' THEN quantity ELSE 0 END) AS available,
           sum(CASE WHEN to_state = 'reserved' THEN quantity ELSE 0 END - CASE WHEN from_state = 'reserved' THEN quantity ELSE 0 END) AS reserved,
           sum(CASE WHEN to_state = 'quarantined' THEN quantity ELSE 0 END - CASE WHEN from_state = 'quarantined' THEN quantity ELSE 0 END) AS quarantined
      FROM ledger GROUP BY 1, 2)
  SELECT 'I1: SKU id ' || coalesce(l.sku_id, m.sku_id) || ' differs between ledger and level' AS message
    FROM levels l FULL JOIN moved m ON m.sku_id = l.sku_id AND m.location_id = l.location_id
   WHERE (l.available, l.reserved, l.quarantined, l.version, l.version) IS DISTINCT FROM
         (m.available, m.reserved, m.quarantined, m.events, m.newest)
  UNION ALL SELECT 'I3: SKU id ' || sku_id || ' has ' || available || ' available' FROM levels WHERE available < 0
  UNION ALL SELECT 'I2: ' || channel || ' order ' || order_id || ' has ' || count(*) || ' reservations'
    FROM reservations WHERE channel IS NOT NULL GROUP BY channel, order_id HAVING count(*) > 1`;

const ORDER_LINES = `
  SELECT r.channel, r.order_id AS "orderId", p.line_id AS "lineId", s.code,
         sum(p.reserved - p.released) AS net, sum(p.fulfilled) AS fulfilled, sum(p.returned) AS returned,
         coalesce((SELECT sum(f.quantity) FROM shortfalls f WHERE f.cause = 'order' AND f.state = 'open' AND f.channel = r.channel
            AND f.order_id = r.order_id AND f.line_id = p.line_id AND f.sku_id = p.sku_id), 0) AS short
    FROM reservations r JOIN reservation_lines p ON p.reservation_id = r.id JOIN skus s ON s.id = p.sku_id
   WHERE r.channel IS NOT NULL GROUP BY r.channel, r.order_id, p.line_id, p.sku_id, s.code`;

const API_RESERVATIONS = `
  SELECT r.id, r.state, (SELECT sum(reserved) FROM reservation_lines p WHERE p.reservation_id = r.id) AS reserved
    FROM reservations r WHERE r.channel IS NULL`;

const PHYSICAL = `
  SELECT s.code, sum(v.available + v.reserved + v.quarantined + v.damaged) AS physical,
         coalesce((SELECT sum(p.fulfilled - p.returned) FROM reservation_lines p WHERE p.sku_id = s.id), 0) AS gone
    FROM levels v JOIN skus s ON s.id = v.sku_id GROUP BY s.id, s.code`;
