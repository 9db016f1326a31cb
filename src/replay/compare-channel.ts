import type { HostClient } from './host-client';

/** What a channel withholds and how it caps, as `onhand.yaml` says; units and percent of available. */
export interface PublishingRules {
  buffer: { units: number; percent: number };
  cap: number | null;
  /** Codes of our locations that serve the channel; empty when all do. */
  locations: readonly string[];
  /**
   * The channel, where what is withheld depends on sales, time or people: then nobody outside can compute it, and what
   * the host says should show is compared with what does.
   */
  toldFor?: string;
}

/** Nothing withheld, no cap, every location: the rules of a channel that sets none. */
export const PLAIN_RULES: PublishingRules = { buffer: { units: 0, percent: 0 }, cap: null, locations: [] };

export interface Difference {
  channelSku: string;
  /** What the channel shows, in units. */
  shown: number;
  /** What the ledger makes of it; null where the host has no such SKU. */
  expected: number | null;
}

export interface Comparison {
  differences: Difference[];
  /** Units reserved over all SKUs. */
  reservedUnits: number;
}

interface StockItem {
  sku: string;
  total: { available: number; reserved: number };
  locations: { location: string; available: number }[];
}

/** Every listing whose shown quantity is not what the ledger says; each listing stands for one unit of its SKU. */
export async function compareChannel(
  host: HostClient,
  shown: ReadonlyMap<string, number>,
  rules: PublishingRules,
): Promise<Comparison> {
  const expected = new Map<string, number>();
  let reservedUnits = 0;
  for await (const item of host.items<StockItem>('/v1/stock')) {
    reservedUnits += item.total.reserved;
    expected.set(item.sku, publishedUnits(availableUnits(item, rules.locations), rules));
  }
  if (rules.toldFor !== undefined) {
    const path = `/v1/channels/${encodeURIComponent(rules.toldFor)}/listings`;
    for await (const { channelSku, quantity } of host.items<{ channelSku: string; quantity: number }>(path))
      expected.set(channelSku, quantity);
  }
  const differences = [...shown]
    .map(([channelSku, units]) => ({ channelSku, shown: units, expected: expected.get(channelSku) ?? null }))
    .filter((listing) => listing.shown !== listing.expected);
  return { differences, reservedUnits };
}

/** Computed here once more, apart from the host: a check that used the host's own code would prove nothing. */
export function publishedUnits(available: number, { buffer, cap }: PublishingRules): number {
  const share = Math.ceil((Math.max(available, 0) * buffer.percent) / 100);
  const sellable = Math.max(0, available - Math.max(buffer.units, share));
  return cap === null ? sellable : Math.min(sellable, cap);
}

function availableUnits({ total, locations }: StockItem, serving: readonly string[]): number {
  if (serving.length === 0) return total.available;
  const served = locations.filter(({ location }) => serving.includes(location));
  return served.reduce((sum, { available }) => sum + available, 0);
}
