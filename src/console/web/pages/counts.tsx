import { useApi } from '../hooks';
import type { ConsolePage } from '../pages';
import { Badge, Count, Heading, Shown, type Tone } from '../parts/basics';
import { Table } from '../parts/table';
import { Time } from '../parts/time';
import { linkTo } from '../route';
import type { Page } from '../types';
import '../parts/desk.css';

export const countsPage: ConsolePage = {
  path: '/counts',
  title: 'Counts',
  group: 'Stock',
  needs: 'stock:read',
  View: Counts,
};

export interface StockCount {
  id: string;
  source: string;
  kind: 'full' | 'partial';
  takenAt: string;
  reason: string;
  state: 'open' | 'waiting' | 'done';
  receivedAt: string;
  receivedBy: string;
  finishedAt: string | null;
  accuracy: number | null;
  drift: number | null;
  lines: number;
  byStatus: Record<string, number>;
  countedUnits: number;
  ledgerUnits: number;
  differingUnits: number;
  adjustedUnits: number;
}

const STATES: Record<StockCount['state'], { tone: Tone; text: string }> = {
  open: { tone: 'warn', text: 'being compared' },
  waiting: { tone: 'bad', text: 'lines wait for a person' },
  done: { tone: 'good', text: 'done' },
};

export function CountState({ of }: { of: StockCount['state'] }) {
  return <Badge tone={STATES[of].tone}>{STATES[of].text}</Badge>;
}

export function percent(share: number | null): string {
  return share === null ? '–' : `${Math.round(share * 10_000) / 100} %`;
}

export function countLink(id: string): string {
  return linkTo(`/counts/${id}`);
}

/** What warehouses and ERPs counted, beside what the ledger said of that moment. */
function Counts() {
  const counts = useApi<Page<StockCount>>('/v1/counts?limit=100');
  return (
    <>
      <Heading title="Counts">
        What somebody counted, compared with the ledger as of that moment. Small differences are posted by
        themselves; large ones wait here.
      </Heading>
      <Shown
        of={counts}
        isEmpty={({ items }) => items.length === 0}
        empty={
          <p>
            Nothing was counted yet. Counts come as files in <code>counts.folder</code>, with{' '}
            <code>onhand counts import</code> or with <code>POST /v1/counts</code>.
          </p>
        }
      >
        {({ items }) => (
          <Table
            label="Counts"
            items={items}
            keyOf={({ id }) => id}
            columns={[
              {
                name: 'Count',
                heading: true,
                of: ({ id, source, takenAt, kind }) => (
                  <>
                    <a href={countLink(id)}>
                      {source}, <Time at={takenAt} />
                    </a>
                    {kind === 'full' && ' (full)'}
                  </>
                ),
              },
              { name: 'State', of: ({ state }) => <CountState of={state} /> },
              {
                name: 'Waiting',
                number: true,
                of: ({ id, byStatus }) =>
                  byStatus.waiting ? (
                    <a class="count" href={countLink(id)} aria-label={`${byStatus.waiting} lines waiting`}>
                      <Count of={byStatus.waiting} />
                    </a>
                  ) : (
                    <span class="zero">0</span>
                  ),
              },
              { name: 'Lines', number: true, of: ({ lines }) => <Count of={lines} /> },
              { name: 'Right', number: true, of: ({ accuracy }) => percent(accuracy) },
              { name: 'Units off', number: true, of: ({ differingUnits }) => <Count of={differingUnits} /> },
              { name: 'Units posted', number: true, of: ({ adjustedUnits }) => <Count of={adjustedUnits} /> },
              { name: 'Sent by', of: ({ receivedBy }) => <span class="quiet">{receivedBy}</span> },
            ]}
          />
        )}
      </Shown>
    </>
  );
}
