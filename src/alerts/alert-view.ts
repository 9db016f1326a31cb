import type { OutboundEvent } from '../outbound/outbound-event';
import type { OutboundEventType } from '../config/receiver.config';
import type { AlertRow, ToldAlert } from './alert-records';

export interface AlertView extends AlertRow {
  /** A path of the console that shows what it is about; null where there is none. */
  link: string | null;
}

export function viewOf(row: AlertRow): AlertView {
  return { ...row, link: linkOf(row) };
}

export function eventOf(tell: string, { tags, version, ...row }: ToldAlert, at: Date): OutboundEvent {
  return {
    type: `alert.${tell}` as OutboundEventType,
    subject: row.key,
    at: at.toISOString(),
    data: { ...viewOf(row), version },
    version,
    stateOf: null,
    channels: row.channel === null ? [] : [row.channel],
    tags,
  };
}

function linkOf({ rule, channel, subject }: AlertRow): string | null {
  const of = channel === null ? '' : `?channel=${encodeURIComponent(channel)}`;
  const pages: Readonly<Record<string, string>> = {
    'low-stock': `/#/stock/${encodeURIComponent(subject ?? '')}`,
    'drift-escalated': `/#/drift${of}`,
    'drift-ratio': `/#/drift${of}`,
    'count-drift': '/#/counts',
    oversells: `/#/oversells${of}`,
    parked: `/#/parked${of}`,
    'task-overdue': '/#/schedule',
    'task-failing': '/#/schedule',
    'ledger-check': '/#/tasks?kind=verify',
    kpi: `/#/kpis/${encodeURIComponent(subject ?? '')}`,
    throttled: '/#/kpis/api_throttled_ratio',
    'stranded-reservations': '/#/kpis/stranded_reservations',
    'queue-depth': '/#/kpis/push_queue_depth',
  };
  return pages[rule] ?? (channel === null ? null : '/#/');
}
