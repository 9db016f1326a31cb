import type { Pool } from 'pg';
import { type BufferRow, bySku, type NeedsBySku, readNeeds, readNeedsAfter } from './buffer-rows';

const AT_ONCE = 5_000;

/** What is stored of what sales ask for, in memory and without its reasons: for quantities that are asked for in thousands. */
export class NeedsCache {
  private bySkuId = new Map<number, ReturnType<NeedsBySku['get']>>();

  get needs(): NeedsBySku {
    return this.bySkuId as NeedsBySku;
  }

  clear(): void {
    this.bySkuId = new Map();
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
    for (const skuId of skuIds) this.bySkuId.delete(skuId);
    this.put(rows);
  }

  private put(rows: readonly BufferRow[]): void {
    const bare = rows.map((row) => ({ ...row, needs: row.needs.map((need) => ({ ...need, reason: '' })) }));
    for (const [skuId, found] of bySku(bare)) this.bySkuId.set(skuId, found);
  }
}
