import { SCOPES } from '../../src/access/scopes';
import { HostClient } from '../support/host-client';
import type { ApiDocument, FuzzOptions } from './http-fuzzer';

/** Values that exist in the host, or are well formed, by the name of the field that takes them. */
const KNOWN = {
  sku: ['A', 'B', 'C'],
  skus: [['A', 'B']],
  channel: ['shop'],
  channelSku: ['S-A', 'S-B', 'S-NEW'],
  channelSkus: [['S-A']],
  rest: ['x'],
  location: ['main'],
  toLocation: ['main'],
  code: ['main', 'north'],
  type: [
    'RESTOCK',
    'ADJUST',
    'DAMAGE',
    'RETURN',
    'INSPECT',
    'TRANSFER',
    'RECEIVE',
    'EXPECT',
    'FULFILL',
    'RELEASE',
  ],
  quantity: [1, 2, 5],
  units: [0, 1, 2],
  percent: [0, 5],
  reason: ['count', 'recall'],
  id: [1, 2, 3, '00000000-0000-4000-8000-000000000000'],
  name: ['verify', 'reconcile', 'recall'],
  kind: ['full', 'partial', 'verify', 'reconcile'],
  state: ['open', 'parked', 'closed', 'auto', 'done'],
  status: ['open', 'applied'],
  limit: [1, 10, 500],
  wait: [0],
  asOf: ['2026-01-01T00:00:00Z'],
  knownAt: ['2026-01-01T00:00:00Z'],
  from: ['2026-01-01T00:00:00Z'],
  to: ['2026-01-02T00:00:00Z'],
  occurredAt: ['2026-01-01T00:00:00Z'],
  until: ['2027-01-01T00:00:00Z'],
  window: ['1h', '24h'],
  ttlSeconds: [1, 60],
  partial: [true, false],
  dryRun: [true, false],
};

/** A host with a few SKUs and reservations in it, and a key for each scope. */
export async function prepare(
  api: HostClient,
): Promise<Pick<FuzzOptions, 'document' | 'known' | 'keys' | 'url'>> {
  await api.post(
    '/v1/skus',
    ['A', 'B', 'C'].map((sku) => ({ sku })),
  );
  await api.post(
    '/v1/events',
    ['A', 'B', 'C'].map((sku) => ({ type: 'RESTOCK', sku, quantity: 1_000 })),
  );
  const reservations: unknown[] = [];
  for (const quantity of [1, 2, 3]) {
    const made = await api.post<{ id: unknown }>(
      '/v1/reservations',
      { lines: [{ sku: 'A', quantity }] },
      `r-${quantity}`,
    );
    reservations.push(made.body.id);
  }
  const keys: string[] = [];
  for (const scope of SCOPES) {
    const { body } = await api.post<{ key: string }>('/v1/keys', { name: scope, scopes: [scope] });
    keys.push(body.key);
  }
  const [admin, ...others] = keys;
  const { body: document } = await api.get<ApiDocument>('/docs/openapi.json');
  return {
    url: api.url,
    document,
    known: { ...KNOWN, id: [...KNOWN.id, ...reservations] },
    keys: [...Array<string | undefined>(6).fill(admin), ...others],
  };
}
