import { FAULT_KINDS } from './draws';
import type { Host } from './host';
import type { Act, Deed, Fault } from './plan';
import type { Shop } from './shop';
import type { SimulatedClient } from './simulated-client';
import { skuOf, type World } from './world';

/** Has each act of the plan happen at its time. Answers how many faults took hold. */
export function schedule(world: World, acts: readonly Act[], fromMs: number): { faults: number } {
  const counted = { faults: 0 };
  for (const act of acts) {
    const { atMs, ...rest } = act;
    world.timeline.at(fromMs + atMs, null, JSON.stringify(rest), async () => {
      if (isFault(act)) await inflict(world, act, () => counted.faults++);
      else enact(world, act);
    });
  }
  return counted;
}

function isFault(act: Deed | Fault): act is Fault {
  return FAULT_KINDS.includes(act.kind);
}

function enact(world: World, act: Deed): void {
  const { api } = world;
  const shop = 'shop' in act ? shopOf(world, act.shop) : undefined!;
  switch (act.kind) {
    case 'sell':
      return void shop.sell(act.lines.map(({ listing, units }) => ({ sku: skuOf(listing), units })));
    case 'edit':
      return edit(shop, act);
    case 'restock':
      return api.move('RESTOCK', act.sku, act.location, act.units);
    case 'adjust':
      return api.move('ADJUST', act.sku, act.location, act.units);
    case 'reserve':
      return api.reserve(act.sku, act.units, act.ttlSeconds);
    case 'change':
      return api.change(act.nth, act.to);
    case 'repeat':
      return api.repeat(act.nth, act.otherUnits);
    case 'edit-shown':
      return shop.type(skuOf(act.listing), act.units);
    case 'tick':
      return tick(world, (jobs) => [jobs[act.nth % jobs.length]!]);
    case 'wake':
      return tick(world, (jobs) => jobs.filter(({ name }) => name === act.job));
  }
}

async function inflict(world: World, fault: Fault, struck: () => void): Promise<void> {
  if ('host' in fault) return aimOrStrike(world, fault, struck);
  struck();
  if (fault.kind === 'redis-loss') return world.queue.lose(fault.awayMs);
  const shop = shopOf(world, fault.shop);
  const { nowMs } = world.timeline;
  const line = world.network.lines.get(shop.traits.name)!;
  switch (fault.kind) {
    case 'lose-answers':
      line.loseAnswers += fault.count;
      return;
    case 'swallow-answers':
      line.swallow += fault.count;
      return;
    case 'down':
      shop.downUntilMs = nowMs + fault.forMs;
      return;
    case 'storm':
      shop.throttledUntilMs = nowMs + fault.forMs;
      shop.retryAfterSeconds = fault.retryAfterSeconds;
      return;
    case 'slow':
      Object.assign(line, { slowUntilMs: nowMs + fault.forMs, slowByMs: fault.byMs });
      return;
    case 'page':
      line.pages += fault.count;
      return;
    case 'webhook-lost':
      return void line.webhooks.push(...Array.from({ length: fault.count }, () => ({ lose: true }) as const));
    case 'webhook-late':
      return void line.webhooks.push({ byMs: fault.byMs });
    case 'webhook-twice':
      return void line.webhooks.push({ times: fault.times });
    case 'poison':
      return world.network.poison(shop);
  }
}

type HostFault = Extract<Fault, { host: number }>;

/** At once, or when its host comes to the moment that it is aimed at. */
async function aimOrStrike(world: World, fault: HostFault, struck: () => void): Promise<void> {
  const host = world.hosts[fault.host]!;
  const strike = (connection?: SimulatedClient) => {
    if (host.isDead) return;
    struck();
    return befall(world, host, fault, connection);
  };
  if ('at' in fault && fault.at) world.moments.aim(host, fault.at, strike);
  else await strike();
}

async function befall(
  world: World,
  host: Host,
  fault: HostFault,
  connection: SimulatedClient | undefined,
): Promise<void> {
  const { timeline } = world;
  switch (fault.kind) {
    case 'crash':
      if (!host.isReady) return;
      await host.crash();
      timeline.in(fault.awayMs, null, 'a host is started again', () => world.startHost(fault.host));
      return;
    case 'freeze':
      host.frozenUntilMs = Math.max(host.frozenUntilMs, timeline.nowMs + fault.forMs);
      timeline.at(host.frozenUntilMs, null, `${host.name} goes on`, () => undefined);
      return;
    case 'cut': {
      const open = world.connections.ofOwner(host);
      return (connection ?? open[fault.nth % Math.max(1, open.length)])?.breakOff();
    }
    case 'clock-jump':
      host.skewMs += fault.byMs;
      return;
  }
}

function shopOf(world: World, index: number): Shop {
  return [...world.shops.values()][index]!;
}

function edit(shop: Shop, { nth, line, change, units }: Extract<Deed, { kind: 'edit' }>): void {
  const orders = [...shop.orders.keys()];
  const orderId = nth < 0 ? orders.at(nth) : orders[nth % orders.length];
  if (orderId !== undefined) shop.edit(orderId, line, change, units);
}

type Recurring = Host['jobs']['recurring'];

/** What the scheduler does: one host that leads has one that works do what recurs. */
function tick(world: World, wanted: (jobs: Recurring) => Recurring): void {
  const { readyHosts, timeline } = world;
  if (readyHosts.length === 0) return;
  const host = world.random.pick(readyHosts);
  for (const { name, key } of wanted(host.jobs.recurring))
    timeline.in(0, host, `wakes ${name} ${key ?? ''}`, () => host.jobs.wakeAnywhere(name, key));
}
