import { useApi, useEvery } from '../hooks';
import type { ConsolePage } from '../pages';
import { Badge, Heading, OwnCount, Section, Shown } from '../parts/basics';
import { Chart } from '../parts/chart';
import { useHistory, WindowChoice, withChannel } from '../parts/key-figures';
import { DEFAULT_WINDOW, type KpiQuery, kpiValue, kpiWords } from '../parts/kpi-words';
import { type Records, RecordTable } from '../parts/records';
import { Pages, usePaged } from '../parts/table';
import { Time } from '../parts/time';
import { linkTo, useQuery } from '../route';
import type { Kpi, KpiReading } from '../types';

export const kpiPage: ConsolePage = {
  path: '/kpis/:name',
  title: ({ name }) => kpiWords(name!).name,
  needs: 'channels:read',
  View: ({ params }) => <OneKpi name={params.name!} />,
};

const READ_EVERY_MS = 30_000;

/** One key figure: what it is now, how it has been, and what it counts. */
function OneKpi({ name }: { name: string }) {
  const [{ window = DEFAULT_WINDOW, channel, from, to }, change] = useQuery();
  const kpis = useApi<KpiReading>(withChannel(`/v1/kpis?window=${window}`, channel));
  useEvery(READ_EVERY_MS, kpis.reload);
  const { name: title, says } = kpiWords(name);
  return (
    <>
      <Heading title={title} above={<a href="#/">Overview</a>} actions={<WindowChoice />}>
        {says}
      </Heading>
      {channel && (
        <p>
          Of {channel} only.{' '}
          <button type="button" onClick={() => change({ channel: undefined })}>
            Of all channels
          </button>
        </p>
      )}
      <Shown
        of={kpis}
        isEmpty={({ items }) => !items.some((kpi) => kpi.name === name)}
        empty={<p>There is no such figure.</p>}
      >
        {({ items }) => (
          <KpiShown kpi={items.find((kpi) => kpi.name === name)!} query={{ window, channel, from, to }} />
        )}
      </Shown>
    </>
  );
}

function KpiShown({ kpi, query }: { kpi: Kpi; query: KpiQuery & { window: string } }) {
  const { window, channel, from, to } = query;
  const { name, value, unit, aim, met, events } = kpi;
  const history = useHistory(name, window, channel);
  return (
    <>
      <p class="now">
        <strong>
          {value === null ? (
            kpiValue(value, unit)
          ) : (
            <OwnCount of={value} text={kpiValue(value, unit)} as="listed" />
          )}
        </strong>{' '}
        {aim && (
          <Badge tone={met === null ? 'plain' : met ? 'good' : 'bad'}>
            {met === null ? 'aim' : met ? 'met' : 'missed'}: at most{' '}
            <OwnCount of={aim.max} text={kpiValue(aim.max, unit)} as="set" />
          </Badge>
        )}
      </p>
      <div class="card">
        <Shown of={history}>
          {(of) => <Chart of={of} aim={aim?.max} window={window} channel={channel} />}
        </Shown>
      </div>
      {events && (
        <Section id="events" title="What it counts">
          {from && to && <OfStep from={from} to={to} />}
          <Events path={events} name={name} step={{ ...(from && to && { since: from, until: to }) }} />
        </Section>
      )}
    </>
  );
}

/** Where one of what a figure counts is looked at. */
const EVENT_PAGES: Record<string, (item: Records) => string> = {
  oversells: ({ channel }) => linkTo('/oversells', { channel: String(channel) }),
  stock_cancellations: ({ channel }) => linkTo('/oversells', { channel: String(channel) }),
  reconciliation_drift_ratio: ({ id }) => linkTo(`/tasks/${String(id)}`),
  ledger_drift_ratio: ({ id }) => linkTo(`/counts/${String(id)}`),
  manual_interventions: ({ action }) => linkTo('/activity', { action: String(action) }),
};

/** A figure of the chart leads to what happened in its time. */
function OfStep({ from, to }: { from: string; to: string }) {
  const [, change] = useQuery();
  return (
    <p>
      Only from <Time at={from} /> to <Time at={to} />.{' '}
      <button type="button" onClick={() => change({ from: undefined, to: undefined })}>
        Of all the time shown
      </button>
    </p>
  );
}

/** The path may have a query of its own; `step` narrows its time. */
function Events({ path, name, step }: { path: string; name: string; step: Record<string, string> }) {
  const { pathname, searchParams } = new URL(path, location.href);
  const events = usePaged<Records>(pathname, { ...Object.fromEntries(searchParams), ...step });
  return (
    <Shown
      of={events}
      isEmpty={({ items }) => items.length === 0 && !events.hasBefore}
      empty={<p>Nothing in this time.</p>}
    >
      {({ items }) => (
        <>
          <RecordTable label="Events" items={items} pageOf={EVENT_PAGES[name]} />
          <Pages of={events} />
        </>
      )}
    </Shown>
  );
}
