import { useEffect } from 'preact/hooks';
import { call } from '../api';
import { Section, Shown } from '../parts/basics';
import { ChosenBar, useChosen } from '../parts/chosen';
import { type Deed, DoButton } from '../parts/do';
import { type Column, Pages, Table, usePaged } from '../parts/table';
import { Ago } from '../parts/time';
import { useMay } from '../session';
import type { Kind, Parked, ParkedAction } from './parked-kinds';

/** One kind of parked things, a page at a time; left out where there are none. */
export function ParkedKind({
  kind,
  filter,
  turn,
}: {
  kind: Kind;
  filter: Record<string, string | undefined>;
  /** Another number has it read again. */
  turn: number;
}) {
  const { name, title, explains, nameOf, canRetry } = kind;
  const page = usePaged<Parked>(`/v1/parked/${name}`, filter, 100);
  useEffect(page.reload, [turn, page.reload]);
  const isDismissed = filter.state === 'dismissed';
  const mayAct = useMay('channels:write') && (canRetry || !isDismissed);
  const items = page.data?.items ?? [];
  const keyOf = ({ id, listingId }: Parked) => id ?? listingId!;
  const chosen = useChosen(items, keyOf, (item) => `${nameOf(item)} of ${item.channel}`);
  const finish = () => {
    chosen.none();
    page.reload();
  };
  const can: Can = { retry: canRetry, dismiss: !isDismissed };
  return (
    <Section title={title} id={name}>
      <Shown
        of={page}
        isEmpty={() => items.length === 0 && !page.hasBefore}
        empty={<p>{isDismissed ? 'None was dismissed.' : 'None.'}</p>}
      >
        {() => (
          <>
            <p class="quiet">{explains}</p>
            <Table
              label={`${title}, list`}
              items={items}
              keyOf={keyOf}
              columns={[
                ...(mayAct ? [chosen.column] : []),
                ...columnsFor(kind),
                ...(mayAct ? [actionsOf(kind, can, finish)] : []),
              ]}
            />
            {mayAct && (
              <ChosenBar of={chosen} shown={items.length}>
                <Acts kind={kind} can={can} items={chosen.items} onDone={finish} />
                {!isDismissed && page.hasMore && <AllOfChannel kind={kind} items={items} onDone={finish} />}
              </ChosenBar>
            )}
            <Pages of={page} />
          </>
        )}
      </Shown>
    </Section>
  );
}

type Can = Record<ParkedAction, boolean>;

function actionsOf(kind: Kind, can: Can, onDone: () => void): Column<Parked> {
  return {
    name: 'Do',
    class: 'actions',
    of: (item) => (
      <Acts
        kind={kind}
        can={can}
        items={[item]}
        spoken={`: ${kind.nameOf(item)} of ${item.channel}`}
        onDone={onDone}
      />
    ),
  };
}

/** The buttons for one or for those that are chosen. */
function Acts({
  kind,
  can,
  items,
  spoken,
  onDone,
}: {
  kind: Kind;
  can: Can;
  items: readonly Parked[];
  /** Stands behind what the button of one row says, for screen readers. */
  spoken?: string;
  onDone: () => void;
}) {
  const actions: ParkedAction[] = ['retry', 'dismiss'];
  return (
    <>
      {actions
        .filter((action) => can[action])
        .map((action) => (
          <DoButton
            key={action}
            needs="channels:write"
            label={spoken ? WORDS[action].confirm : WORDS[action].chosen}
            name={spoken && WORDS[action].confirm + spoken}
            disabled={items.length === 0}
            deed={deedOf(kind, action, items)}
            onDone={onDone}
          />
        ))}
    </>
  );
}

function columnsFor(kind: Kind): Column<Parked>[] {
  return [
    { name: 'What', heading: true, of: kind.what },
    { name: 'Channel', of: ({ channel }) => channel },
    {
      name: 'Why',
      class: 'long',
      of: ({ error, reason, code, lastAction }) => (
        <>
          {error ?? reason} {code && <span class="quiet">({code})</span>}
          {lastAction && (
            <span class="quiet why">
              {lastAction.action} <Ago at={lastAction.at} /> by {lastAction.actor}
              {lastAction.reason && `: “${lastAction.reason}”`}
            </span>
          )}
        </>
      ),
    },
    { name: 'Since', class: 'nowrap', of: ({ parkedAt }) => <Ago at={parkedAt} /> },
  ];
}

const WORDS = {
  retry: {
    explains: 'It is tried at once, as if for the first time. What comes of it is seen here.',
    confirm: 'Try again',
    chosen: 'Try the chosen again',
  },
  dismiss: {
    explains: 'Nothing is done about it.',
    confirm: 'Dismiss',
    chosen: 'Dismiss the chosen',
  },
};

function deedOf(kind: Kind, action: ParkedAction, items: readonly Parked[]): Deed {
  const { explains, confirm } = WORDS[action];
  const what =
    items.length === 1 ? `${kind.nameOf(items[0]!)} of ${items[0]!.channel}` : `${items.length} at once`;
  const keeps = kind.isKept
    ? kind.canRetry
      ? ' It stays under “dismissed”, and can be tried again from there.'
      : ' It stays under “dismissed”.'
    : ' The next change of its stock pushes it again.';
  return {
    title: `${confirm}: ${what}`,
    explains: action === 'dismiss' ? explains + keeps : explains,
    confirm,
    ...(kind.isKept && { reason: action === 'dismiss' ? ('required' as const) : ('optional' as const) }),
    act: (reason) => kind.act(action, items, reason),
  };
}

/** Where there are more than a page: all that a channel has of them, in one request. */
function AllOfChannel({ kind, items, onDone }: { kind: Kind; items: readonly Parked[]; onDone: () => void }) {
  const channels = [...new Set(items.map(({ channel }) => channel))];
  const deed = (channel: string, action: ParkedAction): Deed => ({
    title: `${WORDS[action].confirm}: all of ${channel}`,
    explains: `${WORDS[action].explains} These are more than are shown here; at most 10,000 at once.`,
    confirm: WORDS[action].confirm,
    ...(kind.isKept && { reason: action === 'dismiss' ? ('required' as const) : ('optional' as const) }),
    act: async (reason) => {
      const path = `/v1/parked/${kind.name}/${action}`;
      const told = await call<{ changed?: number; retried?: number; dismissed?: number }>('POST', path, {
        channel,
        ...(reason && { reason }),
      });
      return { done: `${told.changed ?? told.retried ?? told.dismissed} of ${channel} done` };
    },
  });
  return (
    <>
      {channels.map((channel) => (
        <span key={channel}>
          {kind.canRetry && (
            <DoButton
              needs="channels:write"
              label={`Try all of ${channel} again`}
              deed={deed(channel, 'retry')}
              onDone={onDone}
            />
          )}{' '}
          <DoButton
            needs="channels:write"
            label={`Dismiss all of ${channel}`}
            deed={deed(channel, 'dismiss')}
            onDone={onDone}
          />
        </span>
      ))}
    </>
  );
}
