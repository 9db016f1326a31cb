import { useApi } from '../hooks';
import type { ConsolePage } from '../pages';
import { AlertCard, useAlertNews } from '../parts/alert-list';
import { Badge, Count, Heading, OwnCount, Section, Shown } from '../parts/basics';
import { ChoiceFilter, Filters } from '../parts/filters';
import { kpiValue } from '../parts/kpi-words';
import { type Column, Pages, Table, usePaged } from '../parts/table';
import { linkTo, useQuery } from '../route';
import { ScopeNote } from '../session';
import type { Alert, KpiUnit, Page } from '../types';

export const alertsPage: ConsolePage = {
  path: '/alerts',
  title: 'Alerts',
  group: 'Now',
  needs: 'channels:read',
  waits: ({ alerts }) =>
    alerts && { count: alerts.filter(({ state }) => state === 'open').length, names: 'open' },
  View: Alerts,
};

/** What needs someone, what someone is at, and what was settled. */
function Alerts() {
  const [{ state = 'open', rule }, change] = useQuery();
  const alerts = usePaged<Alert>('/v1/alerts', { state: state === 'all' ? undefined : state, rule });
  useAlertNews(alerts.reload);
  return (
    <>
      <Heading title="Alerts">
        A rule that finds the same again counts up its alert instead of making another. Who is told of them is
        under <a href="#/receivers">receivers</a>.
      </Heading>
      <ScopeNote needs="channels:write" to="acknowledge or resolve them" />
      <Filters>
        <ChoiceFilter
          name="state"
          label="State"
          choices={[
            { value: '', text: 'open' },
            { value: 'acknowledged', text: 'acknowledged' },
            { value: 'resolved', text: 'resolved' },
            { value: 'all', text: 'any' },
          ]}
        />
        {rule && (
          <button type="button" onClick={() => change({ rule: undefined })}>
            Not only {rule}
          </button>
        )}
      </Filters>
      <Shown
        of={alerts}
        isEmpty={({ items }) => items.length === 0 && !alerts.hasBefore}
        empty={<p>{EMPTY[state] ?? 'None.'}</p>}
      >
        {({ items }) => (
          <>
            {items.map((alert) => (
              <AlertCard key={alert.id} alert={alert} reload={alerts.reload} />
            ))}
            <Pages of={alerts} />
          </>
        )}
      </Shown>
      <Rules />
    </>
  );
}

const EMPTY: Record<string, string> = {
  open: 'Nothing needs anyone.',
  acknowledged: 'Nobody is at an alert.',
  resolved: 'None has been resolved yet.',
};

/** As `GET /v1/alerts/rules` has it. */
interface Rule {
  name: string;
  title: string;
  unit: KpiUnit;
  /** Its key under `alerts.rules`, or `alerts.kpis`. */
  setting: string;
  enabled: boolean;
  threshold: number | null;
  severity: Alert['severity'];
  unresolved: number;
}

function Rules() {
  const rules = useApi<Page<Rule>>('/v1/alerts/rules');
  return (
    <Section id="rules" title="Rules">
      <p class="quiet">
        When an alert is raised. Their thresholds are set under <code>alerts</code> in{' '}
        <code>onhand.yaml</code>.
      </p>
      <Shown of={rules} isEmpty={({ items }) => items.length === 0} empty={<p>There are none.</p>}>
        {({ items }) => (
          <Table label="Rules" columns={RULE_COLUMNS} items={items} keyOf={({ setting }) => setting} />
        )}
      </Shown>
    </Section>
  );
}

const RULE_COLUMNS: Column<Rule>[] = [
  {
    name: 'Raised when',
    heading: true,
    class: 'long',
    of: ({ title, setting }) => (
      <>
        {title}
        <code class="quiet why">{setting}</code>
      </>
    ),
  },
  {
    name: 'Threshold',
    number: true,
    of: ({ enabled, threshold, unit }) =>
      enabled && threshold !== null ? (
        <OwnCount of={threshold} text={kpiValue(threshold, unit)} as="set" />
      ) : (
        <span class="quiet">off</span>
      ),
  },
  {
    name: 'Severity',
    of: ({ severity }) => <Badge tone={severity === 'critical' ? 'bad' : 'warn'}>{severity}</Badge>,
  },
  {
    name: 'Unresolved',
    number: true,
    of: ({ unresolved, title, name }) => (
      <Count
        of={unresolved}
        to={linkTo('/alerts', { state: 'all', rule: name })}
        names={`unresolved: ${title}`}
      />
    ),
  },
];
