import type { DataSource } from 'typeorm';

/** What hosts write of themselves at any time, and that somebody tried something. */
const BESIDE = ['activity', 'channel_calls', 'kpi_buckets', 'kpi_progress', 'kpi_values'];

/** How many rows each table has. For tests that say: nothing was written. */
export async function countRows(dataSource: DataSource): Promise<Record<string, number>> {
  const tables: { name: string }[] = await dataSource.query(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> ALL ($1) ORDER BY 1`,
    [BESIDE],
  );
  const counts = tables.map(({ name }) => `SELECT '${name}' AS name, count(*)::int AS count FROM ${name}`);
  const rows: { name: string; count: number }[] = await dataSource.query(counts.join(' UNION ALL '));
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}
