import type { PoolClient } from 'pg';
import type { CatalogService } from '../inventory/catalog.service';
import type { ListingDraft } from './listing-rows';
import type { WantedListing, WriteStatus } from './listing-writes';

/** What became of one draft. `reason` says why it was refused, `note` what somebody should know. */
export interface SavedListing {
  status: WriteStatus | 'unknown-sku' | 'repeated-sku';
  reason?: string;
  note?: string;
}

export interface ResolvedDrafts {
  /** In the order of the drafts; undefined where one cannot be, with the reason in its result. */
  wanted: (WantedListing | undefined)[];
  results: SavedListing[];
  /** Codes of SKUs that were made for them. */
  created: string[];
}

/** The drafts with their SKUs by id, in the caller's transaction. A former code of a SKU is as good as its own. */
export async function resolveDrafts(
  catalog: CatalogService,
  client: PoolClient,
  drafts: readonly ListingDraft[],
  create: boolean,
): Promise<ResolvedDrafts> {
  const codes = [...new Set(drafts.flatMap((draft) => draft.components.map(({ sku }) => sku)))];
  const { skus, created } = await catalog.resolveSkus(client, codes, { create });
  const results: SavedListing[] = [];
  const wanted = drafts.map((draft) => {
    const resolved = componentsOf(draft, skus);
    if ('status' in resolved) {
      results.push(resolved);
      return undefined;
    }
    const { channelSku, cap = null, bufferUnits = null, bufferPercent = null } = draft;
    const { components, note } = resolved;
    results.push({ status: 'unchanged', ...(note !== undefined && { note }) });
    return { channelSku, components, cap, bufferUnits, bufferPercent };
  });
  return { wanted, results, created };
}

function componentsOf(
  draft: ListingDraft,
  skus: ReadonlyMap<string, { id: number; code: string }>,
): { components: WantedListing['components']; note?: string } | SavedListing {
  const units = new Map<number, number>();
  const renamed: string[] = [];
  for (const component of draft.components) {
    const { sku } = component;
    const found = skus.get(sku);
    if (!found)
      return {
        status: 'unknown-sku',
        reason: `no SKU ${JSON.stringify(sku)}; create it with POST /v1/skus first`,
      };
    if (units.has(found.id)) {
      const reason = `${draft.channelSku} names ${found.code} twice, as ${sku} is another code of it`;
      return { status: 'repeated-sku', reason };
    }
    units.set(found.id, component.units);
    if (found.code !== sku) renamed.push(`${sku} is called ${found.code} now`);
  }
  const components = [...units].map(([skuId, each]) => ({ skuId, units: each }));
  components.sort((a, b) => a.skuId - b.skuId);
  return { components, ...(renamed.length > 0 && { note: renamed.join('; ') }) };
}
