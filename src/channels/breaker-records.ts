import type { Pool } from 'pg';
import type { BreakerConfig } from '../config/breaker.config';

/** A breaker as it stands in the database; durations are by the database's clock, as of the read. */
export interface BreakerRow {
  channel: string;
  state: 'closed' | 'open';
  held: boolean;
  since: Date;
  reason: string | null;
  openings: number;
  probe_in_ms: number;
  /** How long the lease of a probe lasts; 0 or less when none is under way. */
  probing_for_ms: number;
  unheard_since: Date | null;
  unheard_ms: number | null;
}

export interface BreakerChange {
  change: string;
  reason: string | null;
  actor: string;
  changedAt: Date;
}

export type HeldAs = 'open' | 'closed' | 'auto';

/** The rows behind breakers. Every change is one statement that checks, writes, notes and tells the other hosts. */
export class BreakerRecords {
  constructor(private readonly pool: Pool) {}

  async create(channels: readonly string[]): Promise<void> {
    await this.pool.query(
      'INSERT INTO breakers (channel) SELECT unnest($1::text[]) ON CONFLICT (channel) DO NOTHING',
      [channels],
    );
  }

  async read(channels: readonly string[]): Promise<BreakerRow[]> {
    const found = await this.pool.query<BreakerRow>(
      `SELECT ${COLUMNS} FROM breakers WHERE channel = ANY($1)`,
      [channels],
    );
    return found.rows;
  }

  /** Opens a closed breaker; undefined when it is open or a person holds it. */
  open(channel: string, reason: string, config: BreakerConfig): Promise<BreakerRow | undefined> {
    return this.change(OPEN, [channel, reason, config.openSeconds, config.maxOpenSeconds]);
  }

  /** Makes the caller the only one to probe until the lease ends; undefined when a probe is not due, or another's. */
  async claimProbe(channel: string, lease: string, leaseSeconds: number): Promise<BreakerRow | undefined> {
    return this.change(CLAIM, [channel, lease, leaseSeconds]);
  }

  /** A probe whose lease ended changes nothing, in this and the next two. */
  close(channel: string, lease: string, reason: string): Promise<BreakerRow | undefined> {
    return this.change(CLOSE, [channel, lease, reason]);
  }

  /** The probe failed: the next one waits twice as long. */
  reopen(
    channel: string,
    lease: string,
    reason: string,
    config: BreakerConfig,
  ): Promise<BreakerRow | undefined> {
    return this.change(REOPEN, [channel, lease, reason, config.openSeconds, config.maxOpenSeconds]);
  }

  /** The probe proved nothing: the next one waits as long as the first. */
  postpone(channel: string, lease: string, waitSeconds: number): Promise<BreakerRow | undefined> {
    return this.change(POSTPONE, [channel, lease, waitSeconds]);
  }

  /** What a person wants. `auto` probes an open breaker at once. */
  async hold(channel: string, as: HeldAs, reason: string, actor: string): Promise<BreakerRow> {
    return (await this.change(HOLD[as], [channel, reason, actor]))!;
  }

  async unheard(channel: string, elapsedMs: number): Promise<BreakerRow | undefined> {
    return this.change(UNHEARD, [channel, elapsedMs / 1000]);
  }

  /** Undefined when another host has heard of the channel first. */
  async heard(channel: string): Promise<BreakerRow | undefined> {
    return this.change(HEARD, [channel]);
  }

  /** Newest first. */
  async changes(channel: string, limit: number): Promise<BreakerChange[]> {
    const found = await this.pool.query<BreakerChange>(
      `SELECT change, reason, actor, changed_at AS "changedAt" FROM breaker_changes
        WHERE channel = $1 ORDER BY id DESC LIMIT $2`,
      [channel, limit],
    );
    return found.rows;
  }

  private async change(text: string, values: readonly unknown[]): Promise<BreakerRow | undefined> {
    const { rows } = await this.pool.query<BreakerRow>(text, [...values]);
    return rows[0];
  }
}

const COLUMNS = `channel, state, held, since, reason, openings, unheard_since,
  (extract(epoch FROM greatest(probe_at, '2000-01-01') - clock_timestamp()) * 1000)::float8 AS probe_in_ms,
  (extract(epoch FROM greatest(probe_until, '2000-01-01') - clock_timestamp()) * 1000)::float8 AS probing_for_ms,
  (extract(epoch FROM clock_timestamp() - unheard_since) * 1000)::float8 AS unheard_ms`;

const NOW = 'clock_timestamp()';

/** `note`: change, reason and actor, as SQL; none for what is not worth noting. */
function changing(update: string, note?: { change: string; reason: string; actor?: string }): string {
  const noted = note
    ? `INSERT INTO breaker_changes (channel, change, reason, actor)
       SELECT channel, '${note.change}', ${note.reason}, ${note.actor ?? "'host'"} FROM changed`
    : 'SELECT 1';
  return `
    WITH changed AS (${update} RETURNING *), noted AS (${noted}),
         told AS (SELECT pg_notify('onhand_breakers', channel) FROM changed)
    SELECT ${COLUMNS} FROM changed, told`;
}

/** Doubles with each opening, with jitter so that channels which went away together do not come back together. */
const afterWait = (openings: string, first: string, most: string) =>
  `${NOW} + make_interval(secs => least(${most}, ${first} * power(2, least(${openings} - 1, 20))) * (0.9 + 0.2 * random()))`;

/** Opened again before it stayed closed for as long as the longest wait: it flaps, and waits ever longer. */
const OPENINGS = `CASE WHEN since > ${NOW} - make_interval(secs => $4) THEN openings + 1 ELSE 1 END`;

const OPEN = changing(
  `UPDATE breakers SET state = 'open', since = ${NOW}, reason = $2, openings = ${OPENINGS}, unheard_since = NULL,
          probe_lease = NULL, probe_until = '-infinity', probe_at = ${afterWait(`(${OPENINGS})`, '$3', '$4')}
    WHERE channel = $1 AND state = 'closed' AND NOT held`,
  { change: 'opened', reason: '$2' },
);

const CLAIM = changing(
  `UPDATE breakers SET probe_lease = $2, probe_until = ${NOW} + make_interval(secs => $3)
    WHERE channel = $1 AND state = 'open' AND NOT held AND probe_at <= ${NOW} AND probe_until <= ${NOW}`,
);

const LEASED = `channel = $1 AND state = 'open' AND NOT held AND probe_lease = $2 AND probe_until > ${NOW}`;

const CLOSE = changing(
  `UPDATE breakers SET state = 'closed', since = ${NOW}, reason = $3, unheard_since = NULL,
          probe_lease = NULL, probe_until = '-infinity' WHERE ${LEASED}`,
  { change: 'closed', reason: '$3' },
);

const REOPEN = changing(
  `UPDATE breakers SET openings = openings + 1, reason = $3, probe_lease = NULL, probe_until = '-infinity',
          probe_at = ${afterWait('(openings + 1)', '$4', '$5')} WHERE ${LEASED}`,
  { change: 'reopened', reason: '$3' },
);

const POSTPONE = changing(
  `UPDATE breakers SET probe_lease = NULL, probe_until = '-infinity', probe_at = ${NOW} + make_interval(secs => $3)
    WHERE ${LEASED}`,
);

function holding(state: string, held: boolean, change: string): string {
  return changing(
    `UPDATE breakers SET state = ${state}, held = ${held}, reason = $2, openings = 0, unheard_since = NULL,
            since = CASE WHEN state = ${state} THEN since ELSE ${NOW} END,
            probe_at = ${NOW}, probe_lease = NULL, probe_until = '-infinity' WHERE channel = $1`,
    { change, reason: '$2', actor: '$3' },
  );
}

const HOLD: Record<HeldAs, string> = {
  open: holding("'open'", true, 'held-open'),
  closed: holding("'closed'", true, 'held-closed'),
  auto: holding('state', false, 'released'),
};

const UNHEARD = changing(
  `UPDATE breakers SET unheard_since = ${NOW} - make_interval(secs => $2)
    WHERE channel = $1 AND state = 'closed' AND unheard_since IS NULL`,
);

const HEARD = changing(
  `UPDATE breakers SET unheard_since = NULL WHERE channel = $1 AND unheard_since IS NOT NULL`,
);
