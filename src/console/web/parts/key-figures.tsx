import { useApi, useEvery } from '../hooks';
import { useQuery } from '../route';
import type { Kpi, KpiHistory, KpiReading } from '../types';
import { OwnCount, Reading, Section, Shown } from './basics';
import { Chart } from './chart';
import { DEFAULT_WINDOW, kpiLink, kpiValue, kpiWords, WINDOWS } from './kpi-words';

const READ_EVERY_MS = 30_000;
/** Those whose course tells most; the others have theirs on their pages. */
const CHARTED = [
  'sync_latency_p99_seconds',
  'push_queue_depth',
  'reservation_conflict_rate',
  'api_error_ratio',
];

/** The key figures with their aims, and the course of some; of one channel where one is given. */
export function KeyFigures({ channel }: { channel?: string }) {
  const [{ window = DEFAULT_WINDOW }] = useQuery();
  const kpis = useApi<KpiReading>(withChannel(`/v1/kpis?window=${window}`, channel));
  useEvery(READ_EVERY_MS, kpis.reload);
  return (
    <Section id="figures" title="Key figures" beside={<WindowChoice />}>
      <Shown of={kpis}>
        {({ items }) => (
          <>
            <ul class="kpis">
              {items
                .filter(({ events, value }) => !channel || events !== null || value !== null)
                .map((kpi) => (
                  <Tile key={kpi.name} kpi={kpi} to={kpiLink(kpi.name, { window, channel })} />
                ))}
            </ul>
            <div class="charts">
              {items
                .filter(({ name }) => CHARTED.includes(name))
                .map((kpi) => (
                  <Course key={kpi.name} kpi={kpi} window={window} channel={channel} />
                ))}
            </div>
          </>
        )}
      </Shown>
    </Section>
  );
}

export function withChannel(path: string, channel: string | undefined): string {
  return channel ? `${path}&channel=${encodeURIComponent(channel)}` : path;
}

/** Of the time that the figures are told of; kept in the address. */
export function WindowChoice() {
  const [{ window = DEFAULT_WINDOW }, change] = useQuery();
  return (
    <div class="choice" role="group" aria-label="Time">
      {WINDOWS.map(({ value, text }) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === window}
          aria-label={`${value}: ${text}`}
          title={text}
          onClick={() => change({ window: value })}
        >
          {value}
        </button>
      ))}
    </div>
  );
}

function Tile({ kpi: { name, value, unit, aim, met }, to }: { kpi: Kpi; to: string }) {
  const tone = met === null ? 'plain' : met ? 'good' : 'bad';
  return (
    <li class={`kpi ${tone}`}>
      <a class="leads" href={to}>
        <span>{kpiWords(name).name}</span>
        <strong class={value === null ? 'none' : undefined}>
          {value === null ? (
            kpiValue(value, unit)
          ) : (
            <OwnCount of={value} text={kpiValue(value, unit)} as="opens" />
          )}
        </strong>
      </a>
      {aim && (
        <span class="aim">
          {met === null ? 'aim' : met ? 'met' : 'missed'}: at most{' '}
          <OwnCount of={aim.max} text={kpiValue(aim.max, unit)} as="set" />
        </span>
      )}
    </li>
  );
}

function Course({ kpi: { name, aim }, window, channel }: { kpi: Kpi; window: string; channel?: string }) {
  const history = useHistory(name, window, channel);
  return (
    <article class="card" aria-label={`${kpiWords(name).name} over time`}>
      <h3>
        <a href={kpiLink(name, { window, channel })}>{kpiWords(name).name}</a>
      </h3>
      {history.loading && !history.data ? (
        <Reading />
      ) : (
        <Shown of={history}>
          {(of) => <Chart of={of} aim={aim?.max} window={window} channel={channel} />}
        </Shown>
      )}
    </article>
  );
}

export function useHistory(name: string, window: string, channel?: string) {
  const history = useApi<KpiHistory>(
    withChannel(`/v1/kpis/history?name=${encodeURIComponent(name)}&window=${window}`, channel),
  );
  useEvery(READ_EVERY_MS * 2, history.reload);
  return history;
}
