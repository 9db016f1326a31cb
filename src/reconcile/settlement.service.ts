import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { poolOf } from '../database/pool';

const ROWS_AT_ONCE = 2_000;

const COLUMNS = [
  ...['sku', 'channel', 'opening_on_hand', 'reserved', 'released', 'fulfilled', 'returned'],
  ...['restocked', 'adjusted', 'damaged', 'closing_on_hand'],
];

/** What moved between two moments. Read from one snapshot, in bounded memory. */
@Injectable()
export class SettlementService {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * CSV, line by line, header first: a row for each SKU and channel with the units of that channel's orders, and
   * one without a channel for all else and for what was on hand (available and reserved) at both moments.
   */
  async *lines(after: Date, until: Date): AsyncGenerator<string> {
    const client = await poolOf(this.dataSource).connect();
    let isSound = false;
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await client.query(
        `SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '10min'`,
      );
      await client.query(`DECLARE settlement NO SCROLL CURSOR FOR ${settlementSql(after, until)}`);
      yield `${COLUMNS.join(',')}\n`;
      for (;;) {
        const { rows } = await client.query<unknown[]>({
          text: `FETCH ${ROWS_AT_ONCE} FROM settlement`,
          rowMode: 'array',
        });
        if (rows.length > 0) yield rows.map((row) => `${row.map(csvField).join(',')}\n`).join('');
        if (rows.length < ROWS_AT_ONCE) break;
      }
      await client.query('COMMIT');
      isSound = true;
    } finally {
      // Whoever asked may have gone in the middle of it.
      client.release(!isSound);
    }
  }
}

function csvField(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A cursor takes no parameters; the times are written by `Date` itself. */
function settlementSql(after: Date, until: Date): string {
  const from = `'${after.toISOString()}'::timestamptz`;
  const to = `'${until.toISOString()}'::timestamptz`;
  const isWithin = `e.occurred_at > ${from}`;
  const units = (type: string) =>
    `coalesce(sum(e.quantity) FILTER (WHERE ${isWithin} AND e.type = '${type}'), 0)`;
  const onHand = (when: string) => `
    coalesce(sum(CASE WHEN e.to_state IN ('available', 'reserved') THEN e.quantity ELSE 0 END
               - CASE WHEN e.from_state IN ('available', 'reserved') THEN e.quantity ELSE 0 END) FILTER (WHERE ${when}), 0)`;
  return `
    WITH moved AS (
      SELECT e.sku_id, e.channel, ${onHand(`NOT (${isWithin})`)} AS opening,
             ${units('RESERVE')} AS reserved, ${units('RELEASE')} AS released, ${units('FULFILL')} AS fulfilled,
             ${units('RETURN')} AS returned, ${units('RESTOCK')} AS restocked,
             coalesce(sum(CASE WHEN e.from_state = 'outside' THEN e.quantity ELSE -e.quantity END)
               FILTER (WHERE ${isWithin} AND e.type = 'ADJUST'), 0) AS adjusted,
             ${units('DAMAGE')} AS damaged, ${onHand('true')} AS closing, count(*) FILTER (WHERE ${isWithin}) AS events
        FROM ledger e WHERE e.occurred_at <= ${to} GROUP BY e.sku_id, e.channel
    ), whole AS (
      SELECT sku_id, sum(opening) AS opening, sum(closing) AS closing FROM moved GROUP BY sku_id
    )
    SELECT s.code, m.channel, NULL AS opening, m.reserved, m.released, m.fulfilled, m.returned, m.restocked, m.adjusted, m.damaged,
           NULL AS closing
      FROM moved m JOIN skus s ON s.id = m.sku_id WHERE m.channel IS NOT NULL AND m.events > 0
    UNION ALL
    SELECT s.code, NULL, w.opening, coalesce(m.reserved, 0), coalesce(m.released, 0), coalesce(m.fulfilled, 0),
           coalesce(m.returned, 0), coalesce(m.restocked, 0), coalesce(m.adjusted, 0), coalesce(m.damaged, 0), w.closing
      FROM whole w JOIN skus s ON s.id = w.sku_id LEFT JOIN moved m ON m.sku_id = w.sku_id AND m.channel IS NULL
     ORDER BY 1, 2 NULLS FIRST`;
}
