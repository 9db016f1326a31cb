import type { RateLimit } from '../channel-api';
import { planOf } from './reconcile-plan';

const SEARCH: RateLimit = { name: 'search', perSecond: 5, burst: 5 };
const ORDERS: RateLimit = { name: 'orders', perSecond: 0.0056, burst: 20 };
const DAILY: RateLimit = { kind: 'daily', name: 'calls', quota: 5_000, resetsAtUtc: '07:00' };
const ROLLING: RateLimit = { kind: 'rolling', name: 'window', quota: 100, windowSeconds: 60 };

const CASES: [
  title: string,
  limits: RateLimit[],
  reads: { rowsPerCall: number; limit: string } | undefined,
  last: { pages: number; listings: number } | undefined,
  plan: object,
][] = [
  [
    'its own limit',
    [SEARCH, ORDERS],
    { rowsPerCall: 20, limit: 'search' },
    undefined,
    { calls: 500, minutes: 1.7, limit: 'search: 5/s', basis: 'the plugin' },
  ],
  [
    'pages as the last run met them',
    [SEARCH],
    { rowsPerCall: 20, limit: 'search' },
    { pages: 1_000, listings: 10_000 },
    { calls: 1_000, minutes: 3.3, basis: 'the last run' },
  ],
  [
    'nothing known of its pages',
    [SEARCH],
    undefined,
    undefined,
    { calls: 100, minutes: 0.3, basis: 'a guess of 100 rows a call' },
  ],
  [
    'a daily quota that lasts',
    [DAILY],
    { rowsPerCall: 20, limit: 'calls' },
    undefined,
    { calls: 500, minutes: 0 },
  ],
  [
    'a rolling window',
    [ROLLING],
    { rowsPerCall: 20, limit: 'window' },
    undefined,
    { calls: 500, minutes: 4, limit: 'window: 100 in 60 s' },
  ],
  [
    'no limit',
    [],
    { rowsPerCall: 20, limit: 'search' },
    undefined,
    { minutes: 0, limit: 'none that would slow it' },
  ],
];

test.each(CASES)(
  '10,000 listings of a channel with %s are planned for',
  (_title, limits, inventoryReads, last, plan) => {
    const capabilities = { inventoryReads } as Parameters<typeof planOf>[0]['capabilities'];
    expect(planOf({ name: 'shop', capabilities, limits }, 10_000, 10_000, last)).toMatchObject(plan);
  },
);
