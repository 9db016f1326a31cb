import { linkTo } from '../route';
import { Count } from './basics';
import { listingsLink } from './listing-links';
import type { Column } from './table';

/** The cause of drift that a figure of a comparison counts, as `src/reconcile/reconcile-report.ts` has them. */
const CAUSES: Record<string, string> = {
  drift: 'drift',
  notApplied: 'not-applied',
  channelEdits: 'channel-edit',
  ordersUnread: 'orders-unread',
  unseenOrders: 'unseen-order',
  missing: 'missing',
  unmapped: 'unmapped',
};

/** Where a figure of a comparison is explained; undefined where the comparison kept only the figure. */
export function comparisonLink(figure: string, channel: string, run: string): string | undefined {
  const found = (more: Record<string, string>) => linkTo('/drift', { channel, run, state: 'all', ...more });
  if (figure === 'listings') return listingsLink(channel);
  if (figure === 'drifted' || figure === 'corrected') return found({});
  if (figure === 'escalated') return found({ state: 'escalated' });
  const cause = CAUSES[figure];
  return cause && found({ cause });
}

/** A column of one figure, which leads to what it counts, or to the report that it is of. */
export function comparisonFigure<T extends { id: string }>(
  name: string,
  figure: keyof T & string,
  channel: string,
): Column<T> {
  return {
    name,
    number: true,
    of: (run) => {
      const units = run[figure];
      if (typeof units !== 'number') return null;
      const to = comparisonLink(figure, channel, run.id) ?? linkTo(`/tasks/${run.id}`);
      return <Count of={units} to={to} names={`${name.toLowerCase()}, of a comparison of ${channel}`} />;
    },
  };
}
