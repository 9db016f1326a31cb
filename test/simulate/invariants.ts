import { createHash } from 'node:crypto';
import type { OrderDocumentLine } from '../../src/channel-api';
import { VerifyService } from '../../src/inventory/verify.service';
import { checkCalls } from './limits-check';
import { checkPushOrder, shownDiffers } from './shown-check';
import type { World } from './world';

/** DESIGN §2, from what the shops, the senders and the API's users know, and from the tables as they lie there. */
export async function checkInvariants(world: World): Promise<void> {
  await checkLedger(world);
  await checkOrders(world);
  await checkAnswered(world);
  for (const { message } of await shownDiffers(world)) world.violate('I5', message);
  await checkPushOrder(world);
  await checkPushed(world);
  for (const shop of world.shops.values()) checkCalls(world, shop);
  await checkSecrets(world);
}

/** I1–I3: by the host's own `verify`, and once more by plain sums. */
async function checkLedger(world: World): Promise<void> {
  const { timeline, hosts, server } = world;
  const [host] = hosts;
  let found: { invariant: string; message: string }[] | undefined;
  timeline.in(0, host!, 'verify', () => {
    void host!
      .get(VerifyService)
      .verify()
      .then(({ violations }) => (found = violations));
  });
  if (!(await world.runUntil(() => found !== undefined, 60_000)))
    world.violate('I1', 'verify does not come to its end');
  for (const { invariant, message } of found ?? []) world.violate(invariant, message);
  const unequal = await server.query<{ sku_id: number }>(`
    SELECT sku_id, location_id FROM levels l WHERE (available, reserved, version) <> (
      SELECT coalesce(sum(quantity) FILTER (WHERE to_state = 'available'), 0) - coalesce(sum(quantity) FILTER (WHERE from_state = 'available'), 0),
             coalesce(sum(quantity) FILTER (WHERE to_state = 'reserved'), 0) - coalesce(sum(quantity) FILTER (WHERE from_state = 'reserved'), 0),
             count(*) FROM ledger e WHERE e.sku_id = l.sku_id AND e.location_id = l.location_id)`);
  for (const { sku_id } of unequal)
    world.violate('I1', `the level of SKU ${sku_id} is not the sum of its events`);
  const bare = await server.query<{ sku_id: number }>(
    `SELECT sku_id FROM ledger WHERE type = 'RESERVE' AND available < 0`,
  );
  for (const { sku_id } of bare) world.violate('I3', `SKU ${sku_id} was reserved below zero`);
}

interface TakenLine {
  order_id: string;
  line_id: string;
  sku_id: number;
  net: number;
  fulfilled: number;
  returned: number;
  short: number;
  revision: number;
}

/** I2 and I4: each line of each order that a shop has, as it stands there, is what the ledger did or what is short. */
async function checkOrders(world: World): Promise<void> {
  const taken = await world.server.query<TakenLine>(`
    SELECT r.channel, r.order_id, p.line_id, p.sku_id, sum(p.reserved - p.released)::int AS net, sum(p.fulfilled)::int AS fulfilled,
           sum(p.returned)::int AS returned, r.revision::int AS revision,
           coalesce((SELECT sum(quantity) FROM shortfalls s WHERE s.channel = r.channel AND s.order_id = r.order_id
                      AND s.line_id = p.line_id AND s.sku_id = p.sku_id AND s.state = 'open'), 0)::int AS short
      FROM reservations r JOIN reservation_lines p ON p.reservation_id = r.id
     WHERE r.channel IS NOT NULL GROUP BY r.channel, r.order_id, r.revision, p.line_id, p.sku_id`);
  const known = new Map(taken.map((row) => [`${row.line_id} ${row.sku_id}`, row]));
  world.plan.shops.forEach(({ name }, index) => {
    for (const order of world.shops.get(name)!.orders.values()) {
      for (const line of order.lines) {
        const listing = Number(line.channelSku.split('-')[1]);
        for (const { sku, units } of world.plan.listings[index]![listing]!)
          checkLine(world, line, units, known.get(`${line.lineId} ${world.skuIds[sku]}`), order.revision);
      }
    }
  });
}

function checkLine(
  world: World,
  { lineId, ordered, cancelled, fulfilled, returned }: OrderDocumentLine,
  units: number,
  taken: TakenLine | undefined,
  revision: number,
): void {
  const wanted = Math.max(ordered - cancelled, fulfilled) * units;
  const { net = 0, short = 0, fulfilled: shipped = 0, returned: back = 0 } = taken ?? {};
  if (net + short !== wanted)
    world.violate('I2', `${lineId} wants ${wanted}, has ${net} reserved and ${short} short`);
  if (taken && taken.revision !== revision)
    world.violate('I4', `${lineId} is settled as of revision ${taken.revision}, the shop has ${revision}`);
  if (short === 0 && shipped !== fulfilled * units)
    world.violate('I2', `${lineId} shipped ${fulfilled * units}, the ledger ${shipped}`);
  if (shipped > fulfilled * units || back > returned * units)
    world.violate('I2', `${lineId}: the ledger shipped ${shipped} and took back ${back}, more than the shop`);
}

/** I4 and I9: what was answered was done, once; every webhook that was taken is applied or parked. */
async function checkAnswered(world: World): Promise<void> {
  const { api, network, server } = world;
  const rows = await server.query<{ key: string; events: number }>(
    `SELECT command_key AS key, count(*)::int AS events FROM ledger GROUP BY 1`,
  );
  const events = new Map(rows.map(({ key, events: count }) => [key, count]));
  for (const { key, kind, answer } of api.calls) {
    if (!answer) world.violate('I4', `${key} (${kind}) was never answered`);
    const isMove = answer && 'move' in answer.outcome;
    if (isMove && events.get(key) !== 1)
      world.violate('I4', `${key} (${kind}) was answered as done, and has ${events.get(key) ?? 0} events`);
    if (answer && 'refused' in answer.outcome && events.has(key))
      world.violate('I9', `${key} (${kind}) was refused, and has events`);
  }
  await checkConfirmed(world);
  const inbox = await server.query<{ identity: string; state: string }>(
    `SELECT channel || encode(identity, 'hex') AS identity, state FROM inbox`,
  );
  const states = new Map(inbox.map(({ identity, state }) => [identity, state]));
  for (const { shop, body } of network.acknowledged) {
    const identity = createHash('sha256').update('orders').update('\0').update(body).digest('hex');
    const state = states.get(`${shop.traits.name}${identity}`);
    if (state !== 'applied' && state !== 'parked')
      world.violate(
        'I4',
        `a webhook that was answered 2xx is ${state ?? 'nowhere'}: ${body.toString().slice(0, 80)}`,
      );
  }
}

/** I2: of confirm and expiry exactly one wins, and whoever was told so can rely on it. */
async function checkConfirmed({ api, server, violate }: World): Promise<void> {
  const rows = await server.query<{ id: string; state: string }>(
    'SELECT id, state FROM reservations WHERE channel IS NULL',
  );
  const states = new Map(rows.map(({ id, state }) => [id, state]));
  for (const { key, kind, answer } of api.calls) {
    if (kind !== 'confirm' || !answer || !('reservation' in answer.outcome)) continue;
    const { id } = answer.outcome.reservation;
    if (states.get(id) === 'expired')
      violate('I2', `${key} was told that ${id} is confirmed, and it is expired`);
  }
}

/** I6: nothing is left dirty but what waits for a person. */
async function checkPushed(world: World): Promise<void> {
  const dirty = await world.server.query<{ channel: string; last_error: string | null }>(
    `SELECT channel, last_error FROM dirty_listings WHERE parked_at IS NULL`,
  );
  for (const { channel, last_error } of dirty)
    world.violate('I6', `a listing of ${channel} is dirty still (${last_error ?? 'never tried'})`);
}

/** I8: in what is kept of errors. */
async function checkSecrets(world: World): Promise<void> {
  const [found] = await world.server.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT FROM inbox t WHERE t::text LIKE '%canary-%') OR EXISTS (SELECT FROM pushes t WHERE t::text LIKE '%canary-%')
         OR EXISTS (SELECT FROM dirty_listings t WHERE t::text LIKE '%canary-%') OR EXISTS (SELECT FROM breaker_changes t WHERE t::text LIKE '%canary-%')
         OR EXISTS (SELECT FROM order_polls t WHERE t::text LIKE '%canary-%') OR EXISTS (SELECT FROM tasks t WHERE t::text LIKE '%canary-%') AS found`,
  );
  if (found!.found) world.violate('I8', 'a secret is in the database');
}
