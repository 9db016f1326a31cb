import { ListingsService } from '../../src/channels/listings.service';
import { PublishedQuantityService } from '../../src/buffers/published-quantity.service';
import type { Shop } from './shop';
import { skuOf, type World } from './world';

export interface Difference {
  message: string;
  /** Nobody but a host can have made it. */
  isOurs: boolean;
}

/** I5: what each shop shows against what the ledger makes of it. */
export async function shownDiffers(world: World): Promise<Difference[]> {
  const rows = await world.server.query<{ sku_id: number; available: number }>(
    `SELECT sku_id, sum(greatest(available, 0))::int AS available FROM levels GROUP BY 1`,
  );
  const available = new Map(rows.map((row) => [row.sku_id, row.available]));
  const differences: Difference[] = [];
  for (const [index, traits] of world.plan.shops.entries()) {
    const shop = world.shops.get(traits.name)!;
    const computed = traits.followsSales ? await computedBy(world, shop) : undefined;
    world.plan.listings[index]!.forEach((components, listing) => {
      const units = components.map((each) => {
        const left = (available.get(world.skuIds[each.sku]!) ?? 0) - traits.bufferUnits;
        return Math.floor(Math.max(left, 0) / each.units);
      });
      const expected = computed ? computed[listing]! : Math.min(...units);
      const sku = skuOf(listing);
      const shown = shop.shown.get(sku);
      const message = `${traits.name} shows ${shown} of ${sku}, the ledger makes ${expected}`;
      if (shown !== expected) differences.push({ message, isOurs: !shop.overwritten.has(sku) });
    });
  }
  return differences;
}

/** Where sales are withheld for, the host's own computation is asked: it has tests of its own. */
async function computedBy(world: World, shop: Shop): Promise<number[]> {
  const [host] = world.hosts;
  let quantities: number[] | undefined;
  world.timeline.in(0, host!, 'computes what is to be shown', () => {
    const listings = [...shop.shown.keys()].map((sku) =>
      host!.get(ListingsService).find(shop.traits.name, sku)!,
    );
    void host!
      .get(PublishedQuantityService)
      .compute(listings)
      .then((all) => (quantities = all.map(({ quantity }) => quantity)));
  });
  await world.runUntil(() => quantities !== undefined, 10_000);
  return quantities ?? [];
}

/** I5: of two pushes that a shop took for a listing, the later one never speaks of an older ledger, unless it came after its sender gave it up. */
export async function checkPushOrder(world: World): Promise<void> {
  const rows = await world.server.query<{ id: string; versions: Record<string, number>[] }>(
    `SELECT id, jsonb_path_query_array(waterfall, '$.components[*].versions') AS versions FROM pushes`,
  );
  const versions = new Map(rows.map((row) => [row.id, sumOf(row.versions)]));
  for (const shop of world.shops.values()) {
    const last = new Map<string, number>();
    for (const { sku, pushId, units, isLate } of shop.pushes) {
      if (isLate) continue;
      const version = versions.get(pushId);
      if (version === undefined)
        world.violate('I6', `${shop.traits.name} took a push that is on no record: ${sku} ${units}`);
      else if (version < (last.get(sku) ?? 0))
        world.violate(
          'I5',
          `${shop.traits.name} took ${units} of ${sku}, computed from an older ledger than the push before`,
        );
      last.set(sku, Math.max(version ?? 0, last.get(sku) ?? 0));
    }
  }
}

function sumOf(components: Record<string, number>[]): number {
  return components.flatMap((each) => Object.values(each)).reduce((sum, version) => sum + version, 0);
}
