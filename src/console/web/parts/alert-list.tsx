import { useEffect } from 'preact/hooks';
import { useApi, useNewest } from '../hooks';
import { useLive } from '../live';
import type { Alert, Page } from '../types';
import { AskButton } from './ask';
import { Badge, Count, OwnCount } from './basics';
import { channelLink } from './channel-state';
import { Ago } from './time';

/** What needs someone now, worst first; nothing at all where there is none, or the host has no alerts. */
export function OpenAlerts() {
  const alerts = useApi<Page<Alert>>('/v1/alerts?state=open&limit=20');
  useAlertNews(alerts.reload);
  const items = [...(alerts.data?.items ?? [])].sort((a, b) => rank(a) - rank(b));
  if (items.length === 0) return null;
  return (
    <section aria-labelledby="open-alerts">
      <header class="row">
        <h2 id="open-alerts">
          Open alerts (
          <Count
            of={items.length}
            text={alerts.data?.nextCursor && 'more than 20'}
            to="#/alerts"
            names="open alerts"
          />
          )
        </h2>
      </header>
      {items.slice(0, 5).map((alert) => (
        <AlertCard key={alert.id} alert={alert} reload={alerts.reload} />
      ))}
    </section>
  );
}

/** Calls back when an alert was raised, seen again or changed. */
export function useAlertNews(callback: () => void): void {
  const { alerts } = useLive();
  const news = useNewest(callback);
  useEffect(() => {
    if (alerts) news();
  }, [alerts, news]);
}

const rank = ({ severity }: Alert) => (severity === 'critical' ? 0 : 1);

export function AlertCard({ alert, reload }: { alert: Alert; reload: () => void }) {
  const { severity, summary, channel, rule, count, firstAt, lastAt, state } = alert;
  const [what = summary, advice] = summary.split(/(?<=[.!?]) (?=[A-Z])(.*)/s, 2);
  const to = pageOf(alert);
  return (
    <article class={`card alert ${severity}`} aria-label={what}>
      <header class="row">
        <h3>{to ? <a href={to}>{what}</a> : what}</h3>
        <Badge tone={severity === 'critical' ? 'bad' : 'warn'}>{severity}</Badge>
        <AlertButtons alert={alert} reload={reload} />
      </header>
      {advice && <p>{advice}</p>}
      <p class="quiet">
        {[rule, channel].filter(Boolean).join(' · ')} · since <Ago at={firstAt} />
        {count > 1 && (
          <>
            , seen <OwnCount of={count} as="tally" /> times, last <Ago at={lastAt} />
          </>
        )}
        {state === 'acknowledged' && alert.acknowledgedAt && (
          <>
            {' '}
            · acknowledged by {alert.acknowledgedBy} <Ago at={alert.acknowledgedAt} />
          </>
        )}
        {state === 'resolved' && alert.resolvedAt && (
          <>
            {' '}
            · resolved <Ago at={alert.resolvedAt} />
          </>
        )}
      </p>
    </article>
  );
}

/** What it is about. The host says so as a path of the console; one of a channel as such is about the channel's page. */
function pageOf({ link, channel }: Alert): string | undefined {
  const path = link?.replace(/^[/#]*/, '/');
  if (channel !== null && (path === undefined || path === '/')) return channelLink(channel);
  return path && `#${path}`;
}

function AlertButtons({ alert: { id, summary, state }, reload }: { alert: Alert; reload: () => void }) {
  const path = `/v1/alerts/${id}`;
  return (
    <>
      {state === 'open' && (
        <AskButton
          needs="channels:write"
          label="Acknowledge"
          name={`Acknowledge: ${summary}`}
          question={{
            title: 'Acknowledge the alert',
            explains: `Tells the others that someone is at it, until it is over: ${summary}`,
            path: `${path}/acknowledge`,
            keepsNoReason: true,
            confirm: 'Acknowledge',
            done: 'Acknowledged.',
          }}
          onDone={reload}
        />
      )}
      {state !== 'resolved' && (
        <AskButton
          needs="channels:write"
          label="Resolve"
          name={`Resolve: ${summary}`}
          question={{
            title: 'Resolve the alert',
            explains: `It stays resolved for as long as what raised it lasts; the next time is another alert. ${summary}`,
            path: `${path}/resolve`,
            keepsNoReason: true,
            confirm: 'Resolve',
            done: 'Resolved.',
          }}
          onDone={reload}
        />
      )}
    </>
  );
}
