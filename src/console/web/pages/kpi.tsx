import { useApi, useEvery } from '../hooks';
import type { ConsolePage } from '../pages';
import { Badge, Heading, Section, Shown } from '../parts/basics';
import { Chart } from '../parts/chart';
import { useHistory, WindowChoice, withChannel } from '../parts/key-figures';
import { DEFAULT_WINDOW, kpiValue, kpiWords } from '../parts/kpi-words';
import { type Records, RecordTable } from '../parts/records';
import { Pages, usePaged } from '../parts/table';
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
  const [{ window = DEFAULT_WINDOW, channel }, change] = useQuery();
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
          <KpiShown kpi={items.find((kpi) => kpi.name === name)!} window={window} channel={channel} />
        )}
      </Shown>
    </>
  );
}

function KpiShown({ kpi, window, channel }: { kpi: Kpi; window: string; channel?: string }) {
  const { name, value, unit, aim, met, events } = kpi;
  const history = useHistory(name, window, channel);
  return (
    <>
      <p class="now">
        <strong>{kpiValue(value, unit)}</strong>{' '}
        {aim && (
          <Badge tone={met === null ? 'plain' : met ? 'good' : 'bad'}>
            {met === null ? 'aim' : met ? 'met' : 'missed'}: at most {kpiValue(aim.max, unit)}
          </Badge>
        )}
      </p>
      <div class="card">
        <Shown of={history}>{(of) => <Chart of={of} aim={aim?.max} />}</Shown>
      </div>
      {events && (
        <Section id="events" title="What it counts">
          <Events path={events} name={name} />
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

/** The path may have a query of its own. */
function Events({ path, name }: { path: string; name: string }) {
  const { pathname, searchParams } = new URL(path, location.href);
  const events = usePaged<Records>(pathname, Object.fromEntries(searchParams));
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
