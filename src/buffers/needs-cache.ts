import type { Pool } from 'pg';
import {
  type BufferRow,
  type NeedsByPlace,
  needsIn,
  type NeedsOf,
  putNeeds,
  readNeeds,
  readNeedsAfter,
} from './buffer-rows';
import type { Needs } from './needs';

const AT_ONCE = 2_000;

/**
 * What is stored of what sales ask for, in memory and without its reasons: for quantities that are asked for in
 * thousands. SKUs that are asked for the same share it.
 */
export class NeedsCache {
  readonly needsOf: NeedsOf;
  private readonly places: NeedsByPlace = new Map();
  private readonly alike = new Map<string, Needs>();

  constructor() {
    this.needsOf = needsIn(this.places);
  }

  clear(): void {
    this.places.clear();
    this.alike.clear();
  }

  /** In pages, so that all of it is never there twice. */
  async load(pool: Pool): Promise<void> {
    this.clear();
    for (let after = 0; ;) {
      const rows = await readNeedsAfter(pool, after, AT_ONCE);
      this.put(rows);
      if (rows.length === 0) return;
      after = rows.at(-1)!.skuId;
    }
  }

  async refresh(pool: Pool, skuIds: readonly number[]): Promise<void> {
    const rows = await readNeeds(pool, skuIds);
    for (const bySku of this.places.values()) for (const skuId of skuIds) bySku.delete(skuId);
    this.put(rows);
  }

  private put(rows: readonly BufferRow[]): void {
    for (const row of rows) {
      const { isSlow, needs } = row;
      const key = `${isSlow} ${needs.map(({ kind, amount, policy }) => `${kind} ${amount} ${policy}`).join('\n')}`;
      let shared = this.alike.get(key);
      if (!shared) {
        shared = { isSlow, needs: needs.map((need) => ({ ...need, reason: '' })) };
        this.alike.set(key, shared);
      }
      putNeeds(this.places, row, shared);
    }
  }
}
