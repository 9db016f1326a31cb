import { Badge, Count, type Tone } from '../parts/basics';
import { skuLink } from '../parts/levels';
import { listingLink } from '../parts/listing-links';
import type { Column } from '../parts/table';
import { Ago, Time } from '../parts/time';
import { linkTo } from '../route';

export interface Drift {
  channelSku: string;
  channelLocation: string | null;
  cause: string;
  shown: number | null;
  expected: number | null;
  pushed: number | null;
  pushedAt: string | null;
  versions: Record<string, Record<string, number>>;
  since: string;
  foundAt: string;
  times: number;
  corrections: number;
  escalatedAt: string | null;
  resolvedAt: string | null;
  acceptedAt: string | null;
  acceptedBy: string | null;
  acceptedReason: string | null;
}

export const CAUSES: Record<string, string> = {
  drift: 'it was never told, or refused the number',
  'not-applied': 'it took our number and does not show it',
  'channel-edit': 'somebody changed it there',
  'unseen-order': 'an order that we had not heard of; it was read',
  'orders-unread': 'it may have sold them: its orders cannot be read',
  missing: 'the channel does not show it',
  unmapped: 'nobody has mapped it',
};

export function columnsFor(channel: string): Column<Drift>[] {
  return [
    {
      name: 'Listing',
      heading: true,
      of: (drift) => <ListingCell channel={channel} of={drift} />,
    },
    { name: 'Shows', number: true, of: (drift) => <ShownUnits channel={channel} of={drift} /> },
    {
      name: 'Should show',
      number: true,
      of: ({ expected, channelSku }) => (
        <Units
          of={expected}
          to={listingLink(channel, channelSku)}
          names={`of ${channelSku}: how it comes about`}
        />
      ),
    },
    {
      name: 'Was told',
      number: true,
      of: ({ channelSku, pushed, pushedAt }) =>
        pushed !== null && (
          <>
            <Units
              of={pushed}
              to={listingLink(channel, channelSku, { show: 'pushes' })}
              names={`of ${channelSku}: what it was told`}
            />{' '}
            <span class="quiet">{pushedAt && <Ago at={pushedAt} />}</span>
          </>
        ),
    },
    {
      name: 'Cause',
      class: 'long',
      of: (drift) => (
        <>
          <StateBadge of={drift} /> {CAUSES[drift.cause] ?? drift.cause}
          {drift.acceptedAt && (
            <span class="quiet why">
              “{drift.acceptedReason}” by {drift.acceptedBy}, <Time at={drift.acceptedAt} />
            </span>
          )}
        </>
      ),
    },
    { name: 'Since', class: 'nowrap', of: ({ since }) => <Ago at={since} /> },
    {
      name: 'Found, corrected',
      number: true,
      of: (drift) => <Times channel={channel} of={drift} />,
    },
  ];
}

/** How often comparisons found it, and how often it was pushed again. */
function Times({ channel, of: { channelSku, times, corrections } }: { channel: string; of: Drift }) {
  return (
    <>
      <Count
        of={times}
        to={linkTo('/tasks', { kind: 'reconcile', subject: channel })}
        names={`times found: the comparisons of ${channel}`}
        quiet
      />{' '}
      ×,{' '}
      <Count
        of={corrections}
        to={listingLink(channel, channelSku, { show: 'pushes' })}
        names={`times corrected: what was told of ${channelSku}`}
        quiet
      />{' '}
      ×
    </>
  );
}

/** What nobody has mapped was told nothing; it waits to be mapped. */
function ShownUnits({ channel, of: { channelSku, shown, cause } }: { channel: string; of: Drift }) {
  const to =
    cause === 'unmapped'
      ? linkTo('/mapping', { channel })
      : listingLink(channel, channelSku, { show: 'pushes' });
  return <Units of={shown} to={to} names={`shown of ${channelSku}: what it was told`} />;
}

function Units({ of, to, names }: { of: number | null; to: string; names: string }) {
  return of === null ? <>–</> : <Count of={of} to={to} names={names} always quiet />;
}

function StateBadge({ of: { escalatedAt, acceptedAt, resolvedAt } }: { of: Drift }) {
  const [tone, text]: [Tone, string] = resolvedAt
    ? ['good', 'put right']
    : acceptedAt
      ? ['plain', 'accepted']
      : escalatedAt
        ? ['bad', 'left to a person']
        : ['warn', 'off'];
  return <Badge tone={tone}>{text}</Badge>;
}

function ListingCell({ channel, of }: { channel: string; of: Drift }) {
  const { channelSku, channelLocation, versions, cause } = of;
  return (
    <>
      {cause === 'unmapped' ? (
        <a href={linkTo('/mapping', { channel })}>{channelSku}</a>
      ) : (
        <a href={listingLink(channel, channelSku)}>{channelSku}</a>
      )}
      <span class="quiet">
        {Object.keys(versions).map((sku) => (
          <a key={sku} href={skuLink(sku)}>
            our {sku}{' '}
          </a>
        ))}
        {channelLocation && `at ${channelLocation}`}
      </span>
    </>
  );
}
