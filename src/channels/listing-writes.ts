import type { PoolClient } from 'pg';
import type { Listing, ListingOrigin } from './listing-cache';

/** A listing as it is to be, its components in the order of their SKUs' ids. */
export type WantedListing = Omit<Listing, 'id' | 'channel' | 'origin' | 'revision'>;

/** `of-file`: the channel's file keeps it, so it was left as it is. */
export type WriteStatus = 'created' | 'changed' | 'unchanged' | 'of-file';

export interface Written {
  /** In the order of what was wanted. */
  statuses: WriteStatus[];
  /** Listings that are not what they were, in any way. */
  touched: number[];
  /** Channel SKUs that were the API's and are the file's now. */
  takenOver: string[];
}

interface StoredListing {
  id: number;
  channel_sku: string;
  origin: ListingOrigin;
  cap: number | null;
  buffer_units: number | null;
  buffer_percent: number | null;
  retired: boolean;
  components: [skuId: number, units: number][] | null;
}

interface Judged {
  row: StoredListing;
  listing: WantedListing;
  status: WriteStatus;
  /** A file keeps it, so that nobody else may change it. */
  isKept: boolean;
}

/** Who writes, and whether a file keeps listings of this channel. */
export interface Writer {
  origin: ListingOrigin;
  fileKeeps: boolean;
}

/** In the caller's transaction, before any of the functions below: one mapping of a channel is changed at a time. */
export async function lockMapping(client: PoolClient, channel: string): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 21))', [`listings ${channel}`]);
}

/**
 * Makes listings what is wanted. What is new or changed is dirty, so that the channel is told. The dirty rows
 * are locked before the listings, as pushing does.
 */
export async function writeListings(
  client: PoolClient,
  channel: string,
  wanted: readonly WantedListing[],
  { origin, fileKeeps }: Writer,
): Promise<Written> {
  const skus = wanted.map(({ channelSku }) => channelSku);
  const made = await client.query<{ id: number }>(INSERT_MISSING, [channel, skus, origin]);
  const isNew = new Set(made.rows.map(({ id }) => id));
  const read = await client.query<StoredListing>(READ_STORED, [channel, skus]);
  const stored = new Map(read.rows.map((row) => [row.channel_sku, row]));
  const judged = wanted.map((listing): Judged => {
    const row = stored.get(listing.channelSku)!;
    const status =
      isNew.has(row.id) || row.retired ? 'created' : isSame(listing, row) ? 'unchanged' : 'changed';
    const isKept = origin === 'api' && fileKeeps && row.origin === 'file' && !row.retired;
    return { row, listing, status: isKept && status === 'changed' ? 'of-file' : status, isKept };
  });
  const mine = judged.filter((each) => !each.isKept);
  const changed = mine.filter(({ status }) => status !== 'unchanged');
  const adopted = mine.filter(({ row, status }) => status === 'unchanged' && row.origin !== origin);
  await markDirty(
    client,
    changed.map(({ row }) => row.id),
    false,
  );
  // One that comes back may have been changed by anybody meanwhile.
  await client.query('UPDATE shown_quantities SET pushed_units = NULL WHERE listing_id = ANY($1::int[])', [
    changed.filter(({ row }) => row.retired).map(({ row }) => row.id),
  ]);
  await storeListings(client, [...changed, ...adopted], origin);
  await storeComponents(client, changed);
  return {
    statuses: judged.map(({ status }) => status),
    touched: [...changed, ...adopted].map(({ row }) => row.id),
    takenOver: mine
      .filter(({ row }) => origin === 'file' && row.origin === 'api' && !row.retired)
      .map(({ listing }) => listing.channelSku),
  };
}

/** Takes away the file's listings but these. What API and CLI made stays. Answers their ids. */
export async function retireAllBut(
  client: PoolClient,
  channel: string,
  keep: readonly string[],
): Promise<number[]> {
  const gone = await client.query<{ id: number }>(RETIRE_ALL_BUT, [channel, keep]);
  return gone.rows.map(({ id }) => id);
}

/** Answers how it was kept, or undefined where there is none. Retired before: as if it were done now. */
export async function retireListing(
  client: PoolClient,
  channel: string,
  channelSku: string,
  fileKeeps: boolean,
): Promise<{ id: number; ofFile: boolean } | undefined> {
  const read = await client.query<StoredListing>(READ_STORED, [channel, [channelSku]]);
  const row = read.rows[0];
  if (!row) return undefined;
  const ofFile = fileKeeps && row.origin === 'file' && !row.retired;
  if (!ofFile && !row.retired)
    await client.query(
      'UPDATE listings SET retired_at = clock_timestamp(), revision = revision + 1 WHERE id = $1',
      [row.id],
    );
  return { id: row.id, ofFile };
}

/** A parked listing is tried again: what it was refused for may be over, or it stands for something else now. */
export async function markDirty(
  client: Pick<PoolClient, 'query'>,
  ids: readonly number[],
  forced: boolean,
): Promise<void> {
  if (ids.length > 0) await client.query(MARK_DIRTY, [ids, forced]);
}

function isSame(wanted: WantedListing, { components, ...stored }: StoredListing): boolean {
  return (
    stored.cap === wanted.cap &&
    stored.buffer_units === wanted.bufferUnits &&
    stored.buffer_percent === wanted.bufferPercent &&
    components?.length === wanted.components.length &&
    components.every(([skuId, units], at) => {
      const other = wanted.components[at]!;
      return skuId === other.skuId && units === other.units;
    })
  );
}

async function storeListings(
  client: PoolClient,
  judged: readonly Judged[],
  origin: ListingOrigin,
): Promise<void> {
  if (judged.length === 0) return;
  await client.query(UPDATE_LISTINGS, [
    origin,
    judged.map(({ row }) => row.id),
    judged.map(({ listing }) => listing.cap),
    judged.map(({ listing }) => listing.bufferUnits),
    judged.map(({ listing }) => listing.bufferPercent),
  ]);
}

async function storeComponents(client: PoolClient, changed: readonly Judged[]): Promise<void> {
  if (changed.length === 0) return;
  const rows = changed.flatMap(({ row, listing }) =>
    listing.components.map(({ skuId, units }) => ({ id: row.id, skuId, units })),
  );
  await client.query('DELETE FROM listing_components WHERE listing_id = ANY($1::int[])', [
    changed.map(({ row }) => row.id),
  ]);
  await client.query(
    `INSERT INTO listing_components (listing_id, sku_id, units)
     SELECT * FROM unnest($1::int[], $2::int[], $3::int[])`,
    [rows.map(({ id }) => id), rows.map(({ skuId }) => skuId), rows.map(({ units }) => units)],
  );
}

const INSERT_MISSING = `
  INSERT INTO listings (channel, channel_sku, origin)
  SELECT $1, sku, $3 FROM unnest($2::text[]) AS w (sku) ORDER BY sku
  ON CONFLICT (channel, channel_sku) DO NOTHING RETURNING id`;

const READ_STORED = `
  SELECT id, channel_sku, origin, cap, buffer_units, buffer_percent, retired_at IS NOT NULL AS retired,
         (SELECT json_agg(json_build_array(c.sku_id, c.units) ORDER BY c.sku_id)
            FROM listing_components c WHERE c.listing_id = l.id) AS components
    FROM listings l WHERE channel = $1 AND channel_sku = ANY($2::text[])`;

const UPDATE_LISTINGS = `
  UPDATE listings l SET origin = $1, cap = w.cap, buffer_units = w.units, buffer_percent = w.percent, retired_at = NULL,
         revision = l.revision + 1
    FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::float8[]) AS w (id, cap, units, percent)
   WHERE l.id = w.id`;

const RETIRE_ALL_BUT = `
  UPDATE listings l SET retired_at = clock_timestamp(), revision = l.revision + 1
   WHERE l.channel = $1 AND l.origin = 'file' AND l.retired_at IS NULL
     AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS w (sku) WHERE w.sku = l.channel_sku)
  RETURNING id`;

const MARK_DIRTY = `
  INSERT INTO dirty_listings AS d (listing_id, channel, forced)
  SELECT id, channel, $2 FROM listings WHERE id = ANY($1::int[]) ORDER BY id
  ON CONFLICT (listing_id) DO UPDATE SET marks = d.marks + 1, forced = d.forced OR excluded.forced,
    attempts = CASE WHEN d.parked_at IS NULL THEN d.attempts ELSE 0 END, parked_at = NULL,
    not_before = CASE WHEN d.waits_for IS NULL THEN d.not_before ELSE '-infinity' END`;
