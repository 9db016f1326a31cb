import { useApi } from '../hooks';
import type { ConsolePage } from '../pages';
import { Badge, Count, Heading, Section, Shown } from '../parts/basics';
import { ChannelFilter, Filters, TextFilter } from '../parts/filters';
import { skuLink } from '../parts/levels';
import { PagedTable, usePaged } from '../parts/table';
import { Tabs } from '../parts/tabs';
import { Ago } from '../parts/time';
import { useQuery } from '../route';
import { ScopeNote } from '../session';
import type { Page } from '../types';
import { type BufferChange, HistoryTable } from './buffer-history';
import { type Hold, HoldTable, PlaceHold } from './buffer-holds';
import { Policies } from './buffer-policies';
import '../parts/desk.css';

export const buffersPage: ConsolePage = {
  path: '/buffers',
  title: 'Buffers',
  group: 'Stock',
  needs: 'channels:read',
  View: Buffers,
};

/** What is withheld from channels: by rule, by sales, by hand, and what changed it. */
function Buffers() {
  const [{ show = 'policies' }] = useQuery();
  return (
    <>
      <Heading title="Buffers">
        Units that are there and not shown, because what a channel shows is always a little old.
      </Heading>
      <ScopeNote needs="channels:write" to="change what is withheld" />
      <Tabs
        label="Buffers"
        of={[
          { value: 'policies', text: 'Policies and windows' },
          { value: 'holds', text: 'Holds' },
          { value: 'rows', text: 'What sales ask for' },
          { value: 'history', text: 'What changed' },
        ]}
      />
      {show === 'holds' ? (
        <Holds />
      ) : show === 'rows' ? (
        <Rows />
      ) : show === 'history' ? (
        <History />
      ) : (
        <Policies />
      )}
    </>
  );
}

function Holds() {
  const holds = useApi<Page<Hold>>('/v1/buffers/holds');
  return (
    <Section title="Held by hand" id="holds" beside={<PlaceHold onDone={holds.reload} />}>
      <Shown
        of={holds}
        isEmpty={({ items }) => items.length === 0}
        empty={<p>Nobody withholds anything by hand.</p>}
      >
        {({ items }) => <HoldTable items={items} onDone={holds.reload} />}
      </Shown>
    </Section>
  );
}

interface Row {
  sku: string;
  location: string;
  channel: string;
  needs: { kind: string; amount: number; policy: string; reason: string }[];
  isSlow: boolean;
  releasedAt: string;
  changedAt: string;
}

function Rows() {
  const [{ sku, channel }] = useQuery();
  const rows = usePaged<Row>('/v1/buffers/rows', { sku, channel });
  return (
    <>
      <Filters>
        <TextFilter name="sku" label="SKU, its whole code" />
        <ChannelFilter />
      </Filters>
      <PagedTable
        of={rows}
        label="What sales ask for"
        keyOf={(row) => `${row.sku}\n${row.location}\n${row.channel}`}
        empty={
          <p>
            No SKU sells so fast that more has to be withheld than the policies do of any stock. Policies that
            follow sales have <code>syncLatencies</code>, <code>spikePercent</code> or{' '}
            <code>confirmationSeconds</code>.
          </p>
        }
        columns={[
          {
            name: 'SKU',
            heading: true,
            of: (row) => <a href={skuLink(row.sku, { show: 'withheld' })}>{row.sku}</a>,
          },
          { name: 'Location', of: (row) => row.location },
          { name: 'Channel', of: (row) => row.channel },
          {
            name: 'Withholds',
            class: 'long',
            of: ({ sku: code, needs, isSlow }) => (
              <>
                {needs.map(({ kind, amount, reason, policy }) => (
                  <div key={kind}>
                    <Badge tone="warn">
                      {kind}{' '}
                      <Count
                        of={amount}
                        text={kind === 'spike' ? `${amount} %` : String(amount)}
                        to={skuLink(code, { show: 'withheld' })}
                        names={`withheld of ${code}`}
                      />
                    </Badge>{' '}
                    {reason} <span class="quiet">({policy})</span>
                  </div>
                ))}
                {needs.length === 0 && (
                  <span class="quiet">nothing more, but it is {!isSlow && 'no '}slow mover</span>
                )}
              </>
            ),
          },
          { name: 'Changed', class: 'nowrap', of: ({ changedAt }) => <Ago at={changedAt} /> },
        ]}
      />
    </>
  );
}

function History() {
  const history = useApi<Page<BufferChange>>('/v1/buffers/history?limit=200');
  return <HistoryTable of={history} />;
}
