import { shownDiffers } from './shown-check';
import type { World } from './world';

/** Everything that waits for a time of its own (a breaker, a lease, a pause) has had it by then. */
const QUICK_ROUNDS = 20;
const SLOW_ROUNDS = 32;
const QUICK_ROUND_MS = 4_000;
const SLOW_ROUND_MS = 30_000;
/** When nothing is left to do and something is shown wrong all the same, a comparison is to find it. */
const COMPARED_EVERY = 3;

/** What may be left to do, and the job that does it. */
const LEFT: Readonly<Record<string, { job: string; rows: string }>> = {
  received: { job: 'apply-inbox', rows: `inbox WHERE state = 'received'` },
  dirty: { job: 'push-listings', rows: 'dirty_listings WHERE parked_at IS NULL' },
  sent: { job: 'push-listings', rows: `pushes WHERE state = 'sent'` },
  accepted: { job: 'confirm-pushes', rows: `pushes WHERE state = 'accepted'` },
  away: { job: 'probe-channel', rows: `breakers WHERE state = 'open'` },
  short: { job: 'handle-oversells', rows: `oversells WHERE state IN ('grace', 'cancelling', 'pending')` },
  unseen: {
    job: 'handle-oversells',
    rows: `shortfalls s WHERE cause = 'order' AND state = 'open' AND NOT EXISTS (SELECT FROM oversells o WHERE o.channel = s.channel AND o.order_id = s.order_id)`,
  },
  tasks: { job: 'resume-tasks', rows: `tasks WHERE state IN ('queued', 'running')` },
  held: { job: 'expire-holds', rows: `reservations WHERE state = 'held'` },
  unread: { job: 'poll-orders', rows: `order_polls WHERE covered_at IS NULL OR covered_at < '$healed'` },
};

/**
 * Ends all faults, brings every host back, and has the recurring jobs run until nothing is left to do. A host that stands
 * still goes on in its own time: until then the other one works.
 */
export async function heal(world: World): Promise<void> {
  const { shops, network, queue, moments } = world;
  for (const [name, shop] of shops) {
    Object.assign(shop, { downUntilMs: 0, throttledUntilMs: 0 });
    network.repair(name);
  }
  moments.forget();
  queue.isUp = true;
  const isUp = () => world.hosts.every(({ isReady }) => isReady) && world.readyHosts.length > 0;
  if (!(await world.runUntil(isUp, 60_000)))
    return world.violate('liveness', 'nothing is wrong any more, and yet a host does not come up');
  const healedAt = world.databaseTime().toISOString();
  for (const job of ['poll-orders', 'apply-mapped-orders', 'recalculate-buffers']) wakeAll(world, job);
  for (let round = 1; round <= QUICK_ROUNDS + SLOW_ROUNDS; round++) {
    await world.runFor(round <= QUICK_ROUNDS ? QUICK_ROUND_MS : SLOW_ROUND_MS);
    const left = await leftToDo(world, healedAt);
    for (const job of new Set(left)) wakeAll(world, job);
    // Whoever asks is answered within seconds, or never.
    if (left.length === 0 && world.api.open > 0 && round > QUICK_ROUNDS) break;
    if (left.length > 0 || world.api.open > 0 || world.network.isBusy) continue;
    if (world.readyHosts.length < world.hosts.length) continue;
    const differences = await shownDiffers(world);
    if (differences.length === 0) return;
    // A comparison is for what others do. What we changed ourselves is to be pushed without one.
    for (const { message, isOurs } of differences)
      if (isOurs) return world.violate('I6', `${message}, and nothing is on its way`);
    if (round % COMPARED_EVERY === 0) wakeAll(world, 'reconcile-channel');
  }
  const left = await leftToDo(world, healedAt);
  world.violate(
    'convergence',
    `nothing is wrong any more, and yet there is work left: ${left.join(', ') || 'what is shown'}`,
  );
  if (world.api.open > 0)
    world.violate('I9', `${world.api.open} requests are never answered, under keys that were new or known`);
}

function wakeAll(world: World, job: string): void {
  if (world.readyHosts.length === 0) return;
  const host = world.random.pick(world.readyHosts);
  for (const { name, key } of host.jobs.recurring)
    if (name === job)
      world.timeline.in(0, host, `wakes ${name} ${key ?? ''}`, () => host.jobs.wake(name, key));
}

/** Jobs that have something to do. */
async function leftToDo({ server }: World, healedAt: string): Promise<string[]> {
  const counts = Object.entries(LEFT).map(
    ([name, { rows }]) => `(SELECT count(*) FROM ${rows.replace('$healed', healedAt)})::int AS ${name}`,
  );
  const [left] = await server.query<Record<string, number>>(`SELECT ${counts.join(', ')}`);
  return Object.entries(left!).flatMap(([name, count]) => (count > 0 ? LEFT[name]!.job : []));
}
