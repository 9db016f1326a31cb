import { randomBytes } from 'node:crypto';
import type { SimulatorOptions } from 'onhand/channel-api';
import type { AccessSettings } from './access';
import { ALL_SCOPES } from './access-scopes';
import type { BucketSize } from './cost-bucket';

/** What this simulator takes beside what all of them take. */
export interface ShopifySimulatorOptions {
  /** So many seconds of the shop pass in one: points come back, jobs end and tokens expire that much sooner. */
  timeScale?: number;
  /** Points; 2000 and 100 a second when absent. `limit`, in calls, is taken as ten points a call. */
  bucket?: BucketSize;
  apiVersion?: string;
  /** Granted to the app; all that the plugin could use when absent. */
  scopes?: readonly string[];
  /** How the plugin is told to prove itself. */
  auth?: 'token' | 'client-credentials' | 'expiring-token';
  /** How long a bulk operation takes, in ms of the shop. */
  bulkLastsMs?: number;
  /** How long a mutation with an idempotency key is under way, in ms of the shop. */
  processingMs?: number;
  /** A new order is told as updated before it is told as new. */
  updatedBeforeCreate?: boolean;
  /** Folder with the official schemas; from `CONTRACTS_DIR` when absent, and the reduced schema without both. */
  contracts?: string;
}

/** All of it resolved, in ms that pass here. */
export interface Settings {
  frame: SimulatorOptions;
  shop: string;
  apiVersion: string;
  auth: Record<string, string>;
  webhookSecrets: string[];
  access: AccessSettings;
  scopes: readonly string[];
  locations: readonly string[];
  bucket: BucketSize;
  enforcesLimit: boolean;
  restocksOnCancel: boolean;
  updatedBeforeCreate: boolean;
  cancelAfterMs: number;
  bulkLastsMs: number;
  processingMs: number;
  contracts: string | undefined;
}

const SHOP = 'simulated.myshopify.com';
const ONE_LOCATION = ['655441491'];
/** As recorded of a development store. */
const BUCKET: BucketSize = { maximumAvailable: 2_000, restoreRate: 100 };
/** A bucket smaller than this could not hold the dearest query that is allowed. */
const SMALLEST_BUCKET = 1_000;
const POINTS_OF_A_CALL = 10;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const SOON_MS = 20;

export function resolveSettings(options: SimulatorOptions & ShopifySimulatorOptions): Settings {
  const { timeScale = 1, webhookSecret, previousWebhookSecret, limit, locations } = options;
  const scopes = options.scopes ?? ALL_SCOPES;
  const access = accessOf(options, scopes, timeScale);
  const { maximumAvailable, restoreRate } = bucketOf(options);
  return {
    // The frame would refuse calls by their number, and with 429; here points are counted.
    frame: { ...options, limit: undefined },
    shop: SHOP,
    apiVersion: options.apiVersion ?? '2026-07',
    auth: authOf(options, access),
    webhookSecrets: [webhookSecret, ...(previousWebhookSecret === undefined ? [] : [previousWebhookSecret])],
    access,
    scopes,
    locations: locations ?? ONE_LOCATION,
    bucket: { maximumAvailable, restoreRate: restoreRate * timeScale },
    enforcesLimit: limit?.enforced !== false,
    restocksOnCancel: options.restocksOnCancel ?? false,
    updatedBeforeCreate: options.updatedBeforeCreate ?? false,
    cancelAfterMs: (options.cancelAfterMs ?? SOON_MS) / timeScale,
    bulkLastsMs: (options.bulkLastsMs ?? SOON_MS) / timeScale,
    processingMs: (options.processingMs ?? 0) / timeScale,
    contracts: options.contracts ?? process.env.CONTRACTS_DIR,
  };
}

function bucketOf({ bucket, limit }: SimulatorOptions & ShopifySimulatorOptions): BucketSize {
  if (bucket || !limit || limit.enforced === false) return bucket ?? BUCKET;
  return {
    maximumAvailable: Math.max(limit.burst * POINTS_OF_A_CALL, SMALLEST_BUCKET),
    restoreRate: limit.perSecond * POINTS_OF_A_CALL,
  };
}

function accessOf(
  { token, webhookSecret, auth }: SimulatorOptions & ShopifySimulatorOptions,
  scopes: readonly string[],
  timeScale: number,
): AccessSettings {
  const given = token ?? `shpat_${randomBytes(16).toString('hex')}`;
  return {
    ...{ shop: SHOP, scopes, clientId: 'simulated-client', clientSecret: webhookSecret },
    token: auth === undefined || auth === 'token' ? given : undefined,
    refreshToken: given,
    tokenLifeMs: (auth === 'expiring-token' ? HOUR_MS : DAY_MS) / timeScale,
  };
}

/** Shopify signs webhooks with the client secret: there is but one. */
function authOf(
  { auth = 'token' }: ShopifySimulatorOptions,
  { token, clientId, clientSecret, refreshToken }: AccessSettings,
): Record<string, string> {
  if (token !== undefined) return { kind: 'token', token };
  if (auth === 'client-credentials') return { kind: auth, clientId, clientSecret };
  return { kind: auth, clientId, clientSecret, refreshToken };
}
