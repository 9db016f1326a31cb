import type { PoolClient } from 'pg';

/**
 * A code is unique over `skus` and `sku_aliases` together, which no index can see to. Whoever adds SKUs shares
 * this advisory lock ("onhs" in ASCII), and whoever moves a code from one table to the other has it alone.
 */
const CODES_LOCK_KEY = 0x6f6e6873;

/** In code order, against deadlocks. */
const INSERT_SKUS = `
  INSERT INTO skus (code)
  SELECT code FROM unnest($1::text[]) AS c (code)
   WHERE NOT EXISTS (SELECT FROM sku_aliases a WHERE a.code = c.code) ORDER BY code
  ON CONFLICT (code) DO NOTHING RETURNING code`;

/** Creates the SKUs whose codes no SKU has or had. Answers the new ones. */
export async function createSkus(client: PoolClient, codes: readonly string[]): Promise<string[]> {
  await client.query('SELECT pg_advisory_xact_lock_shared($1)', [CODES_LOCK_KEY]);
  const inserted = await client.query<{ code: string }>(INSERT_SKUS, [codes]);
  return inserted.rows.map((row) => row.code);
}

export interface ResolvedSku {
  id: number;
  /** What it is called now, which may not be what was asked. */
  code: string;
}

/** The SKUs that codes of today and of the past mean; codes that mean none are left out. */
export async function findSkus(
  client: PoolClient,
  codes: readonly string[],
): Promise<Map<string, ResolvedSku>> {
  const found = await client.query<ResolvedSku & { asked: string }>(
    `SELECT code AS asked, id, code FROM skus WHERE code = ANY($1::text[])
      UNION ALL
     SELECT a.code, s.id, s.code FROM sku_aliases a JOIN skus s ON s.id = a.sku_id WHERE a.code = ANY($1::text[])`,
    [codes],
  );
  return new Map(found.rows.map(({ asked, id, code }) => [asked, { id, code }]));
}

/** Of another SKU, whether it has the code or had it. */
const FIND_OTHER = `
  SELECT code FROM skus WHERE code = $2 AND id <> $1
   UNION ALL
  SELECT s.code FROM sku_aliases a JOIN skus s ON s.id = a.sku_id WHERE a.code = $2 AND a.sku_id <> $1`;

/** Renames, keeps the old code as an alias and tells the other hosts. A SKU may have back a code it had. */
export async function renameSku(
  client: PoolClient,
  skuId: number,
  newCode: string,
): Promise<{ renamed: boolean } | { takenBy: string }> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [CODES_LOCK_KEY]);
  const other = await client.query<{ code: string }>(FIND_OTHER, [skuId, newCode]);
  if (other.rows.length > 0) return { takenBy: other.rows[0]!.code };
  const current = await client.query<{ code: string }>('SELECT code FROM skus WHERE id = $1', [skuId]);
  const oldCode = current.rows[0]!.code;
  if (oldCode === newCode) return { renamed: false };
  await client.query('DELETE FROM sku_aliases WHERE code = $1', [newCode]);
  await client.query('UPDATE skus SET code = $2, updated_at = clock_timestamp() WHERE id = $1', [
    skuId,
    newCode,
  ]);
  await client.query('INSERT INTO sku_aliases (code, sku_id) VALUES ($1, $2)', [oldCode, skuId]);
  await client.query(`SELECT pg_notify('onhand_skus', $1)`, [String(skuId)]);
  return { renamed: true };
}
