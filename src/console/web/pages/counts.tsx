import { useEffect } from 'preact/hooks';
import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Badge, Count, Heading, type Tone } from '../parts/basics';
import { signed } from '../parts/levels';
import { type Column, PagedTable, usePaged } from '../parts/table';
import { Time } from '../parts/time';
import { linkTo } from '../route';
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
  const counts = usePaged<StockCount>('/v1/counts');
  const running = useLive().tasks?.filter(({ kind }) => kind === 'count').length;
  useEffect(counts.reload, [running, counts.reload]);
  return (
    <>
      <Heading title="Counts">
        What somebody counted, compared with the ledger as of that moment. Small differences are posted by
        themselves; large ones wait here.
      </Heading>
      <PagedTable
        of={counts}
        label="Counts"
        keyOf={({ id }) => id}
        columns={COLUMNS}
        empty={
          <p>
            Nothing was counted yet. Counts come as files in <code>counts.folder</code>, with{' '}
            <code>onhand counts import</code> or with <code>POST /v1/counts</code>.
          </p>
        }
      />
    </>
  );
}

const COLUMNS: Column<StockCount>[] = [
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
    of: ({ id, byStatus }) => <Count of={byStatus.waiting ?? 0} to={countLink(id)} names="lines waiting" />,
  },
  {
    name: 'Lines',
    number: true,
    of: ({ id, lines }) => <Count of={lines} to={linesLink(id)} names="lines" />,
  },
  {
    name: 'Right',
    number: true,
    of: ({ id, accuracy }) =>
      accuracy === null ? (
        percent(accuracy)
      ) : (
        <Count of={accuracy} text={percent(accuracy)} to={linesLink(id)} names="of the lines right" />
      ),
  },
  {
    name: 'Units off',
    number: true,
    of: ({ id, differingUnits }) => (
      <Count of={differingUnits} to={linesLink(id)} names="units off: the lines" />
    ),
  },
  {
    name: 'Units posted',
    number: true,
    of: ({ id, adjustedUnits }) => (
      <Count
        of={adjustedUnits}
        text={signed(adjustedUnits)}
        to={linesLink(id, 'adjusted')}
        names="units posted: the lines"
      />
    ),
  },
  { name: 'Sent by', of: ({ receivedBy }) => <span class="quiet">{receivedBy}</span> },
];

/** Lines of one status, or all. */
function linesLink(id: string, status = 'all'): string {
  return linkTo(`/counts/${id}`, { status });
}
