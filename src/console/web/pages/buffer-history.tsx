import type { Fetched } from '../hooks';
import { Shown } from '../parts/basics';
import { skuLink } from '../parts/levels';
import { Table } from '../parts/table';
import { Time } from '../parts/time';
import type { Page } from '../types';

export interface BufferChange {
  id: number;
  sku: string | null;
  location: string | null;
  channel: string | null;
  policy: string | null;
  before: object | null;
  after: object | null;
  cause: string;
  actor: string;
  changedAt: string;
}

/** Who or what changed what is withheld. */
export function HistoryTable({ of }: { of: Fetched<Page<BufferChange>> }) {
  return (
    <Shown of={of} isEmpty={({ items }) => items.length === 0} empty={<p>Nothing has changed yet.</p>}>
      {({ items }) => (
        <Table
          label="Changes"
          items={items}
          keyOf={({ id }) => id}
          columns={[
            { name: 'When', class: 'nowrap', of: ({ changedAt }) => <Time at={changedAt} /> },
            {
              name: 'Of',
              heading: true,
              of: ({ sku, location, channel, policy }) => (
                <>
                  {sku && <a href={skuLink(sku, { show: 'withheld' })}>{sku}</a>} {policy}{' '}
                  <span class="quiet">{[location, channel].filter(Boolean).join(', ')}</span>
                </>
              ),
            },
            {
              name: 'From',
              class: 'long',
              of: ({ before }) => <span class="quiet">{before ? inWords(before) : 'nothing'}</span>,
            },
            { name: 'To', class: 'long', of: ({ after }) => (after ? inWords(after) : 'nothing') },
            {
              name: 'Why',
              of: ({ cause, actor }) => (
                <>
                  {cause} <span class="quiet">by {actor}</span>
                </>
              ),
            },
          ]}
        />
      )}
    </Shown>
  );
}

interface Need {
  kind: string;
  amount: number;
  reason: string;
}

/** What sales ask for, a policy's figures, a hold or a channel's measures: whatever was written down. */
function inWords(value: object): string {
  if ('needs' in value) {
    const needs = value.needs as Need[];
    return needs.map(({ kind, amount }) => `${kind} ${amount}`).join(', ') || 'nothing for its sales';
  }
  return flattened(value).join(', ') || 'nothing';
}

function flattened(value: object, at = ''): string[] {
  return Object.entries(value).flatMap(([key, each]: [string, unknown]) => {
    const name = at ? `${at} ${key}` : key;
    if (each === null || each === undefined || key === 'name') return [];
    if (typeof each === 'object') return flattened(each, key === 'settings' ? '' : name);
    return [`${name} ${typeof each === 'number' ? Number(each.toPrecision(4)) : String(each)}`];
  });
}
