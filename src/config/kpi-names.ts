/** The key figures, in the order they are told. What each says, and what it does not, is in docs/kpis.md. */
export const KPI_NAMES = [
  'reservation_conflict_rate',
  'sync_latency_p50_seconds',
  'sync_latency_p99_seconds',
  'sync_under_target_ratio',
  'stranded_reservations',
  'ledger_drift_ratio',
  'reconciliation_drift_ratio',
  'oversells',
  'manual_interventions',
  'stock_cancellations',
  'buffer_releases',
  'push_queue_depth',
  'api_error_ratio',
  'api_throttled_ratio',
] as const;
export type KpiName = (typeof KPI_NAMES)[number];
