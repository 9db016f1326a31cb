import { Gauge, type Registry } from 'prom-client';
import type { DataSource } from 'typeorm';

interface Row {
  receiver: string;
  waiting: string;
  givenUp: string;
  oldestSeconds: number;
  failing: boolean;
}

/** What receivers are still to be told, from the tables: the same on every host. Answers what reads it anew. */
export function registerDeliveryMetrics(registry: Registry, dataSource: DataSource): () => Promise<void> {
  const registers = [registry];
  const deliveries = new Gauge({
    name: 'onhand_deliveries',
    help: 'Events that the receiver has not taken, or that were given up',
    labelNames: ['receiver', 'state'],
    registers,
  });
  const lag = new Gauge({
    name: 'onhand_deliveries_lag_seconds',
    help: 'Age of the oldest event that the receiver has not taken',
    labelNames: ['receiver'],
    registers,
  });
  const failing = new Gauge({
    name: 'onhand_receiver_failing',
    help: '1 while the receiver refuses or does not answer, or is disabled',
    labelNames: ['receiver'],
    registers,
  });
  return async () => {
    const rows: Row[] = await dataSource.query(READ);
    for (const gauge of [deliveries, lag, failing]) gauge.reset();
    for (const { receiver, waiting, givenUp, oldestSeconds, failing: fails } of rows) {
      deliveries.set({ receiver, state: 'waiting' }, Number(waiting));
      deliveries.set({ receiver, state: 'given-up' }, Number(givenUp));
      lag.set({ receiver }, Number(oldestSeconds));
      failing.set({ receiver }, fails ? 1 : 0);
    }
  };
}

const READ = `
  SELECT r.name AS receiver, r.failing_since IS NOT NULL OR r.disabled_at IS NOT NULL AS failing,
         (SELECT count(*) FROM deliveries d WHERE d.receiver = r.name AND d.state = 'waiting') AS waiting,
         (SELECT count(*) FROM deliveries d WHERE d.receiver = r.name AND d.state = 'given-up') AS "givenUp",
         coalesce((SELECT extract(epoch FROM clock_timestamp() - min(d.created_at)) FROM deliveries d
                    WHERE d.receiver = r.name AND d.state = 'waiting'), 0)::float8 AS "oldestSeconds"
    FROM receivers r`;
