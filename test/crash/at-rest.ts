import { setTimeout as sleep } from 'node:timers/promises';
import type { CrashWorld } from './crash-world';
import { LISTINGS } from './shops';
import type { Traffic } from './traffic';

/** Seconds on a quiet machine; hosts that share two cores with a dozen others need their time. */
const WITHIN_MS = 120_000;
/** Then whatever lives has come to its end, and leases that stand still are those of the dead. */
const LIVING_NEED_MS = 1_500;

/**
 * Waits until everything that was asked for is done, and every shop shows what the ledger says. Returns what is not
 * so after that: broken I4, I5 and I6.
 */
export async function untilAtRest(world: CrashWorld, traffic: Traffic): Promise<string[]> {
  const began = performance.now();
  let isAged = false;
  for (;;) {
    const open = await unsettled(world, traffic).catch((error: Error) => [`the tables: ${error.message}`]);
    if (open.length === 0) return [];
    const tookMs = performance.now() - began;
    if (tookMs > WITHIN_MS) return open;
    if (!isAged && tookMs > LIVING_NEED_MS) isAged = await letLeasesEnd(world).then(Boolean, () => false);
    await sleep(100);
  }
}

/** What a killed host had in hand is another's after a minute or two; this lets them pass. */
export async function letLeasesEnd({ pool }: CrashWorld): Promise<true> {
  await pool.query(`UPDATE inbox SET not_before = '-infinity' WHERE state = 'received'`);
  await pool.query(`UPDATE order_polls SET lease_until = '-infinity'`);
  await pool.query(
    `UPDATE schedule SET lease_until = '-infinity', due_at = least(due_at, clock_timestamp())`,
  );
  await pool.query(
    `UPDATE oversells SET lease_until = '-infinity', due_at = least(due_at, clock_timestamp())`,
  );
  // A push's own lease of five seconds is left alone: it fences what a worker that slept may still send.
  await pool.query(
    `UPDATE dirty_listings SET not_before = '-infinity' WHERE lease_until <= clock_timestamp()`,
  );
  return true;
}

/** What is not so yet. */
export async function unsettled(world: CrashWorld, traffic: Traffic): Promise<string[]> {
  const { rows } = await world.pool.query<{ what: string; count: number }>(WAITING);
  const waiting = rows.filter(({ count }) => count > 0).map(({ what, count }) => `${what}: ${count}`);
  if (waiting.length > 0) return waiting;
  return [...(await unknownOrders(world, traffic)), ...(await wrongNumbers(world))];
}

/** Every order that a shop has is known as the shop has it, whether its webhook came or not. */
async function unknownOrders(world: CrashWorld, { placed }: Traffic): Promise<string[]> {
  const { rows } = await world.pool.query<{ channel: string; order_id: string; revision: string }>(
    'SELECT channel, order_id, revision FROM orders',
  );
  const known = new Map(rows.map((row) => [`${row.channel} ${row.order_id}`, Number(row.revision)]));
  return placed.flatMap(({ channel, orderId }) => {
    const { revision } = world.shop(channel).simulator.order(orderId);
    const ours = known.get(`${channel} ${orderId}`);
    if (ours === revision) return [];
    return [
      `I4: order ${orderId} of ${channel} is at revision ${revision}, the host knows ${ours ?? 'nothing'}`,
    ];
  });
}

/** I5 and I6: recomputed here from the levels alone. */
async function wrongNumbers({ pool, shops }: CrashWorld): Promise<string[]> {
  const { rows } = await pool.query<{ code: string; available: string }>(
    'SELECT s.code, sum(v.available) AS available FROM levels v JOIN skus s ON s.id = v.sku_id GROUP BY 1',
  );
  const available = new Map(rows.map(({ code, available }) => [code, Math.max(0, Number(available))]));
  return shops.flatMap(({ name, simulator }) => {
    const shown = simulator.shown();
    return [...LISTINGS].flatMap(([channelSku, parts]) => {
      const right = Math.min(
        ...[...parts].map(([sku, units]) => Math.floor((available.get(sku) ?? 0) / units)),
      );
      if (shown.get(channelSku) === right) return [];
      return [`I5: ${name} shows ${shown.get(channelSku)} of ${channelSku}, the ledger makes it ${right}`];
    });
  });
}

const WAITING = `
  SELECT 'I4: webhooks received and not applied' AS what, count(*)::int AS count FROM inbox WHERE state <> 'applied'
  UNION ALL SELECT 'I4: orders parked', count(*)::int FROM parked_orders WHERE state = 'parked'
  UNION ALL SELECT 'I6: listings dirty', count(*)::int FROM dirty_listings
  UNION ALL SELECT 'I2: holds that ran out and are held', count(*)::int FROM reservations WHERE state = 'held'
  UNION ALL SELECT 'orders that are being cancelled', count(*)::int FROM oversells WHERE state IN ('grace', 'cancelling', 'pending')
  UNION ALL SELECT 'I4: orders not settled with the ledger', count(*)::int FROM orders o
    WHERE NOT EXISTS (SELECT FROM reservations r WHERE r.channel = o.channel AND r.order_id = o.order_id AND r.revision = o.revision)`;
