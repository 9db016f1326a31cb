import type { DataSource } from 'typeorm';

/** A history in the tables that key figures are told from, and what a reader with all of it in memory would say. */

export const CHANNELS = ['a', 'b'];

interface Happened {
  at: Date;
  channel: string | null;
}
interface Push extends Happened {
  state: string;
  since: Date | null;
  answered: Date | null;
  confirmed: Date | null;
}
interface Short extends Happened {
  order: string;
  line: string;
  /** None of the order was short before. */
  isFirst: boolean;
}
interface Calls extends Happened {
  answered: number;
  throttled: number;
  unanswered: number;
}

export interface History {
  reservations: (Happened & { order: string | null })[];
  refusals: (Happened & { code: string })[];
  shorts: Short[];
  pushes: Push[];
  calls: Calls[];
  releases: (Happened & { cause: string; before: object | null; after: object | null; isRelease: boolean })[];
  oversells: (Happened & { order: string })[];
  activity: (Happened & { kind: string; action: string; outcome: string; isIntervention: boolean })[];
  cancellations: (Happened & { state: string; order: string })[];
  counts: (Happened & { drift: number | null })[];
  runs: (Happened & { kind: string; state: string; drifted: number; listings: number })[];
}

const DAY_MS = 86_400_000;
const NEEDS = (velocity: number, spike: number) => ({
  needs: [
    { kind: 'velocity', amount: velocity },
    { kind: 'spike', amount: spike },
  ],
});

/** `random` draws from 0 up to 1. Times go back 40 days, half of them into the last three hours only. */
export function randomHistory(random: () => number, now: Date, size: number): History {
  const draw = drawing(random, now);
  return {
    ...randomOrders(draw, size),
    pushes: draw.many(size, () => randomPush(draw)),
    releases: draw.many(size, () => randomRelease(draw)),
    calls: draw.many(size, () => randomCalls(draw)),
    ...randomActs(draw, size / 4),
    ...randomComparisons(draw, size / 4, now),
  };
}

type Draw = ReturnType<typeof drawing>;

function drawing(random: () => number, now: Date) {
  const ms = () => Math.floor(random() * (random() < 0.5 ? 3 * 3_600_000 : 40 * DAY_MS)) + 1;
  const pick = <T>(...from: T[]): T => from[Math.floor(random() * from.length)]!;
  return {
    random,
    pick,
    at: () => new Date(now.getTime() - ms()),
    channel: () => pick(...CHANNELS),
    many: <T>(count: number, make: (index: number) => T): T[] =>
      Array.from({ length: count }, (_, index) => make(index)),
    later: (date: Date, longestMs: number) => new Date(date.getTime() + Math.floor(random() * longestMs)),
  };
}

function randomOrders({ random, pick, at, many, later }: Draw, size: number) {
  const reservations = many(size, (index) => {
    const of = pick(null, ...CHANNELS);
    return { at: at(), channel: of, order: of && `O-${index}` };
  });
  const shorts = reservations
    .filter(({ order }) => order !== null && random() < 0.2)
    .flatMap(({ at: placed, channel: of, order }) => {
      const lines = many(pick(1, 1, 2), (line) => ({
        at: pick(placed, later(placed, 1_000)),
        channel: of,
        order: order!,
        line: String(line),
      }));
      const first = lines.reduce((earliest, line) => (line.at < earliest.at ? line : earliest));
      return lines.map((line) => ({ ...line, isFirst: line === first }));
    });
  const refusals = many(size / 4, () => ({
    at: at(),
    channel: null,
    code: pick('insufficient-stock', 'reservation-closed'),
  }));
  return { reservations, shorts, refusals };
}

function randomPush({ random, pick, at, channel, later }: Draw): Push {
  const since = at();
  const answered = pick(null, later(since, pick(500, 60_000, 200_000)));
  const confirmed = answered && pick(null, null, later(answered, 100_000));
  const state =
    answered === null
      ? pick('sent', 'failed')
      : confirmed
        ? 'confirmed'
        : pick('applied', 'applied', 'accepted', 'rejected', 'superseded');
  return {
    at: since,
    channel: channel(),
    state,
    since: random() < 0.1 ? null : since,
    answered,
    confirmed,
  };
}

function randomRelease({ random, pick, at, channel }: Draw) {
  const [before, after] = [NEEDS(pick(0, 3, 5), pick(0, 20)), NEEDS(pick(0, 3, 5), pick(0, 20))];
  const isLess = [0, 1].some((index) => before.needs[index]!.amount > after.needs[index]!.amount);
  const cause = pick('sales', 'sales', 'hold ended', 'hold placed');
  const isSales = cause === 'sales';
  const isKnown = random() < 0.8;
  return {
    at: at(),
    channel: channel(),
    cause,
    before: isSales && isKnown ? before : null,
    after: isSales ? after : null,
    isRelease: cause === 'hold ended' || (isSales && isKnown && isLess),
  };
}

function randomCalls({ pick, at, channel }: Draw): Calls {
  return {
    at: new Date(Math.floor(at().getTime() / 60_000) * 60_000),
    channel: channel(),
    answered: pick(0, 5, 9),
    throttled: pick(0, 0, 2),
    unanswered: pick(0, 0, 1),
  };
}

function randomActs({ pick, at, channel, many }: Draw, size: number) {
  return {
    oversells: many(size / 2, (index) => ({ at: at(), channel: channel(), order: `S-${index}` })),
    activity: many(size, () => {
      const [action, isManual] = pick<[string, boolean]>(
        ['oversell.cancel', true],
        ['key.create', false],
        ['channel.pause', true],
        ['stock.adjust', true],
        ['sku.create', false],
      );
      const [kind, outcome] = [pick('key', 'session', 'host'), pick('done', 'done', 'refused')];
      return {
        at: at(),
        channel: pick(null, channel()),
        kind,
        action,
        outcome,
        isIntervention: isManual && kind !== 'host' && outcome === 'done',
      };
    }),
    cancellations: many(size / 2, (index) => ({
      at: at(),
      channel: channel(),
      state: pick('cancelled', 'pending', 'done', 'impossible', 'intended'),
      order: `C-${index}`,
    })),
  };
}

function randomComparisons({ random, pick, at, channel, many }: Draw, size: number, now: Date) {
  return {
    counts: many(size / 2, () => ({ at: at(), channel: null, drift: pick(null, 0, random() / 20) })),
    runs: many(size, () => ({
      at: new Date(Math.max(at().getTime(), now.getTime() - 29 * DAY_MS)),
      channel: channel(),
      kind: pick('reconcile', 'reconcile', 'reconcile-skus'),
      state: pick('done', 'done', 'failed'),
      drifted: pick(0, 1, 3),
      listings: pick(0, 10, 200),
    })),
  };
}

/** Writes all of it where the host would have. */
export async function plant(dataSource: DataSource, history: History): Promise<void> {
  const insert = (text: string, rows: readonly object[]) => dataSource.query(text, [JSON.stringify(rows)]);
  const of = (columns: string) =>
    `FROM jsonb_to_recordset($1::jsonb) AS r (at timestamptz, channel text, ${columns})`;
  await insert(
    `INSERT INTO reservations (id, channel, order_id, state, created_at, updated_at)
     SELECT gen_random_uuid(), channel, "order", 'confirmed', at, at ${of('"order" text')}`,
    history.reservations,
  );
  await insert(
    `INSERT INTO idempotency_keys (key, content_hash, outcome, recorded_at)
     SELECT gen_random_uuid()::text, '', json_build_object('refused', json_build_object('code', code)), at ${of('code text')}`,
    history.refusals,
  );
  await insert(
    `INSERT INTO shortfalls (cause, sku_id, quantity, channel, order_id, line_id, command_key, recorded_at)
     SELECT 'order', 1, 1, channel, "order", line, '', at ${of('"order" text, line text')}`,
    history.shorts,
  );
  await insert(
    `INSERT INTO pushes (id, listing_id, channel, quantity, waterfall, trigger, state, sent_at, dirty_since, answered_at, confirmed_at)
     SELECT gen_random_uuid(), 1, channel, 1, '{}', 'event', state, at, since, answered, confirmed
       ${of('state text, since timestamptz, answered timestamptz, confirmed timestamptz')}`,
    history.pushes,
  );
  await insert(
    `INSERT INTO channel_calls (minute, channel, host, answered, throttled, unanswered, refused)
     SELECT at, channel, gen_random_uuid(), answered, throttled, unanswered, 7 ${of('answered int, throttled int, unanswered int')}`,
    history.calls,
  );
  await insert(
    `INSERT INTO buffer_changes (sku_id, channel, before, after, cause, changed_at)
     SELECT 1, channel, before, after, cause, at ${of('before jsonb, after jsonb, cause text')}`,
    history.releases,
  );
  await insert(
    `INSERT INTO oversells (channel, order_id, state, units, opened_at) SELECT channel, "order", 'held', 1, at ${of('"order" text')}`,
    history.oversells,
  );
  await insert(
    `INSERT INTO activity (at, actor_kind, actor, action, channel, outcome) SELECT at, kind, 'x', action, channel, outcome
       ${of('kind text, action text, outcome text')}`,
    history.activity,
  );
  await insert(
    `WITH r AS (SELECT * ${of('state text, "order" text')}),
          o AS (INSERT INTO oversells (channel, order_id, state, units, opened_at) SELECT channel, "order", 'closed', 1, '2000-01-01' FROM r RETURNING id, channel, order_id)
     INSERT INTO cancellations (id, oversell_id, channel, order_id, lines, reason, message, actor, state, answered_at)
     SELECT gen_random_uuid(), o.id, o.channel, o.order_id, '[]', '', '', 'x', r.state, r.at FROM o JOIN r ON r."order" = o.order_id`,
    history.cancellations,
  );
  await insert(
    `INSERT INTO counts (id, source, content_hash, kind, taken_at, reason, received_by, finished_at, drift)
     SELECT gen_random_uuid(), gen_random_uuid()::text, '', 'full', at, '', '', at, drift ${of('drift float8')}`,
    history.counts,
  );
  await insert(
    `INSERT INTO tasks (id, kind, subject, state, asked_by, asked_at, finished_at, report)
     SELECT gen_random_uuid(), kind, channel, state, 'x', at - interval '7 minutes', at, jsonb_build_object('drifted', drifted, 'listings', listings)
       ${of('kind text, state text, drifted int, listings int')}`,
    history.runs,
  );
}

export const TARGET_MS = 90_000;

const ratio = (hits: number, all: number) => (all === 0 ? null : hits / all);
const sum = <T>(rows: readonly T[], of: (row: T) => number) =>
  rows.reduce((total, row) => total + of(row), 0);

/** Every figure of the time from `from` up to, not including, `until`, for one channel or for all. */
export function naiveKpis(
  history: History,
  from: Date,
  until: Date,
  channel: string | undefined,
): Record<string, number | null> {
  const within = <T extends Happened>(
    rows: readonly T[],
    when: (row: T) => Date | null = (row) => row.at,
  ): T[] =>
    rows.filter((row) => {
      const time = when(row);
      return (
        time !== null && time >= from && time < until && (channel === undefined || row.channel === channel)
      );
    });
  const refused = within(history.refusals).filter(({ code }) => code === 'insufficient-stock').length;
  const synced = within(
    history.pushes.filter(({ state, since }) => ['applied', 'confirmed'].includes(state) && since),
    (push) => push.confirmed ?? push.answered,
  );
  const durations = synced
    .map(({ since, confirmed, answered }) => (confirmed ?? answered)!.getTime() - since!.getTime())
    .sort((a, b) => a - b);
  const percentile = (share: number) =>
    durations.length === 0 ? null : durations[Math.max(0, Math.ceil(share * durations.length) - 1)]! / 1000;
  const calls = within(history.calls);
  const sent = sum(calls, (row) => row.answered + row.throttled + row.unanswered);
  const runs = within(history.runs).filter(({ kind, state }) => kind === 'reconcile' && state === 'done');
  const drifts = within(history.counts).flatMap(({ drift }) => drift ?? []);
  return {
    reservation_conflict_rate: ratio(
      within(history.shorts).filter(({ isFirst }) => isFirst).length + refused,
      within(history.reservations).length + refused,
    ),
    conflicts: within(history.shorts).filter(({ isFirst }) => isFirst).length + refused,
    sync_latency_p50_seconds: percentile(0.5),
    sync_latency_p99_seconds: percentile(0.99),
    sync_under_target_ratio: ratio(durations.filter((each) => each <= TARGET_MS).length, durations.length),
    ledger_drift_ratio: channel === undefined && drifts.length > 0 ? Math.max(...drifts) : null,
    reconciliation_drift_ratio: ratio(
      sum(runs, ({ drifted }) => drifted),
      sum(runs, ({ listings }) => listings),
    ),
    oversells: within(history.oversells).length,
    manual_interventions: within(history.activity).filter(({ isIntervention }) => isIntervention).length,
    stock_cancellations: within(history.cancellations).filter(({ state }) =>
      ['cancelled', 'pending', 'done'].includes(state),
    ).length,
    buffer_releases: within(history.releases).filter(({ isRelease }) => isRelease).length,
    api_error_ratio: ratio(
      sum(calls, ({ unanswered }) => unanswered),
      sent,
    ),
    api_throttled_ratio: ratio(
      sum(calls, ({ throttled }) => throttled),
      sent,
    ),
  };
}
