import { type Act, type Deed, type Fault, FAULT_KINDS } from './plan';
import type { Shop } from './shop';
import { skuOf, type World } from './world';

/** Has each act of the plan happen at its time. Answers how many faults took hold. */
export function schedule(world: World, acts: readonly Act[], fromMs: number): { faults: number } {
  const counted = { faults: 0 };
  for (const act of acts) {
    const { atMs, ...rest } = act;
    world.timeline.at(fromMs + atMs, null, JSON.stringify(rest), async () => {
      if (isFault(act)) counted.faults++;
      await perform(world, act);
    });
  }
  return counted;
}

async function perform(world: World, act: Act): Promise<void> {
  if (isFault(act)) await inflict(world, act);
  else enact(world, act);
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
      return tick(world, act.nth);
  }
}

async function inflict(world: World, fault: Fault): Promise<void> {
  if ('host' in fault) return befallHost(world, fault);
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
      return void line.webhooks.push({ lose: true });
    case 'webhook-late':
      return void line.webhooks.push({ byMs: fault.byMs });
    case 'webhook-twice':
      return void line.webhooks.push({ times: fault.times });
    case 'poison':
      return world.network.poison(shop);
  }
}

async function befallHost(world: World, fault: Extract<Fault, { host: number }>): Promise<void> {
  const host = world.hosts[fault.host]!;
  switch (fault.kind) {
    case 'crash':
      if (!host.isReady) return;
      await host.crash();
      world.timeline.in(fault.awayMs, null, 'a host is started again', () => world.startHost(fault.host));
      return;
    case 'freeze':
      host.frozenUntilMs = Math.max(host.frozenUntilMs, world.timeline.nowMs + fault.forMs);
      return;
    case 'cut': {
      const open = world.connections.ofOwner(host);
      return open[fault.nth % Math.max(1, open.length)]?.breakOff();
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
  if (orders.length > 0) shop.edit(orders[nth % orders.length]!, line, change, units);
}

/** What the scheduler does: one host that leads has one that works do what recurs. */
function tick(world: World, nth: number): void {
  const { readyHosts, timeline } = world;
  if (readyHosts.length === 0) return;
  const host = world.random.pick(readyHosts);
  const { recurring } = host.jobs;
  const { name, key } = recurring[nth % recurring.length]!;
  timeline.in(0, host, `wakes ${name} ${key ?? ''}`, () => host.jobs.wakeAnywhere(name, key));
}
