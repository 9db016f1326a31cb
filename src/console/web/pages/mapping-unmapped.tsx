import { useEffect, useState } from 'preact/hooks';
import { type ApiProblem, call } from '../api';
import { useLive } from '../live';
import { Count, sentence, Shown } from '../parts/basics';
import { ChosenBar, useChosen } from '../parts/chosen';
import { type Deed, DoButton, type Outcome } from '../parts/do';
import { SkuField } from '../parts/sku-field';
import { type Column, Pages, Table, usePaged } from '../parts/table';
import { Ago } from '../parts/time';
import { toast } from '../parts/toast';
import { linkTo } from '../route';
import { useMay } from '../session';

interface UnmappedSku {
  channelSku: string;
  title: string | null;
  barcode: string | null;
  firstSeenIn: 'order' | 'read';
  firstSeenAt: string;
  lastSeenAt: string;
  parkedLines: number;
}

/** Channel SKUs in the queue, each with the form that maps it; many at once by their own codes. */
export function Unmapped({ channel, ignored }: { channel: string; ignored: boolean }) {
  const base = `/v1/channels/${encodeURIComponent(channel)}`;
  const queue = useUnmapped(channel, ignored);
  const mayAct = useMay('channels:write');
  const items = queue.data?.items ?? [];
  const chosen = useChosen(
    items,
    ({ channelSku }) => channelSku,
    ({ channelSku }) => channelSku,
  );
  const finish = () => {
    chosen.none();
    queue.reload();
  };
  const skus = chosen.items.map(({ channelSku }) => channelSku);
  const mapColumn: Column<UnmappedSku> = {
    name: 'Map to',
    of: ({ channelSku }) => <MapForm channel={channel} channelSku={channelSku} onDone={queue.reload} />,
  };
  return (
    <Shown
      of={queue}
      isEmpty={() => items.length === 0 && !queue.hasBefore}
      empty={
        <p>
          {ignored
            ? 'None is ignored.'
            : `Everything that ${channel} was seen to sell or show is mapped. A comparison looks again.`}
        </p>
      }
    >
      {() => (
        <>
          <Table
            label={ignored ? 'Ignored' : 'Unmapped'}
            items={items}
            keyOf={({ channelSku }) => channelSku}
            columns={[
              ...(mayAct ? [chosen.column] : []),
              ...columnsFor(channel),
              ...(mayAct ? [mapColumn] : []),
            ]}
          />
          {mayAct && (
            <ChosenBar of={chosen} shown={items.length}>
              {!ignored && (
                <DoButton
                  needs="channels:write"
                  label="Map to the same code"
                  disabled={skus.length === 0}
                  deed={mapAlike(base, skus)}
                  onDone={finish}
                />
              )}
              <DoButton
                needs="channels:write"
                label={ignored ? 'Back into the queue' : 'Ignore'}
                disabled={skus.length === 0}
                deed={setIgnored(base, skus, !ignored)}
                onDone={finish}
              />
            </ChosenBar>
          )}
          <Pages of={queue} />
        </>
      )}
    </Shown>
  );
}

/** Read again when more or fewer order lines wait. */
function useUnmapped(channel: string, ignored: boolean) {
  const base = `/v1/channels/${encodeURIComponent(channel)}`;
  const queue = usePaged<UnmappedSku>(`${base}/unmapped`, { ignored: ignored ? 'true' : undefined }, 100);
  const waiting = useLive().channels?.find(({ name }) => name === channel)?.parkedLines;
  useEffect(queue.reload, [waiting, queue.reload]);
  return queue;
}

function columnsFor(channel: string): Column<UnmappedSku>[] {
  return [
    {
      name: 'Channel SKU',
      heading: true,
      of: ({ channelSku, title }) => (
        <>
          {channelSku}
          {title && title !== channelSku && <span class="quiet">{title}</span>}
        </>
      ),
    },
    { name: 'Barcode', of: ({ barcode }) => barcode },
    {
      name: 'Seen',
      class: 'nowrap',
      of: ({ firstSeenIn, lastSeenAt }) => (
        <>
          {firstSeenIn === 'order' ? 'in an order' : 'on the channel'}{' '}
          <span class="quiet">
            last <Ago at={lastSeenAt} />
          </span>
        </>
      ),
    },
    {
      name: 'Lines waiting',
      number: true,
      of: ({ channelSku, parkedLines }) => (
        <Count
          of={parkedLines}
          to={linkTo('/parked', { show: 'lines', channel, channelSku })}
          names={`order lines of ${channelSku} waiting`}
        />
      ),
    },
  ];
}

/** Enter maps it and goes on to the next row. */
function MapForm({
  channel,
  channelSku,
  onDone,
}: {
  channel: string;
  channelSku: string;
  onDone: () => void;
}) {
  const [sku, setSku] = useState('');
  const [units, setUnits] = useState('1');
  const [problem, setProblem] = useState<string>();
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const row = (event.currentTarget as HTMLElement).closest('tr');
    const path = `/v1/channels/${encodeURIComponent(channel)}/listings/${encodeURIComponent(channelSku)}`;
    try {
      await call('PUT', path, { components: [{ sku: sku.trim(), units: Number(units) || 1 }] });
      row?.nextElementSibling?.querySelector<HTMLInputElement>('.sku-field')?.focus();
      toast(`${channelSku} is ${units} × ${sku.trim()}`);
      onDone();
    } catch (error) {
      setProblem((error as ApiProblem).message);
    }
  }
  return (
    <form class="map" onSubmit={(event) => void submit(event)}>
      <input
        type="number"
        class="map-units"
        min={1}
        step={1}
        value={units}
        aria-label={`Units of it in one ${channelSku}`}
        onInput={(event) => setUnits(event.currentTarget.value)}
      />
      ×
      <SkuField value={sku} label={`Our SKU for ${channelSku}`} onChange={setSku} />
      <button type="submit" disabled={!sku.trim()} aria-label={`Map ${channelSku}`}>
        Map
      </button>
      {problem && (
        <span role="alert" class="notice bad">
          {sentence(problem)}
        </span>
      )}
    </form>
  );
}

const named = (count: number) => `${count} channel ${count === 1 ? 'SKU' : 'SKUs'}`;

interface Import {
  counts: Record<string, number>;
  createdSkus: string[];
  rows: { channelSku: string; status: string; reason?: string }[];
}

/** As an import of one row each; a SKU that is not there yet is made. */
function mapAlike(base: string, skus: readonly string[]): Deed {
  return {
    title: `Map ${named(skus.length)} to our SKUs of the same codes`,
    explains:
      'One unit each. A SKU that is not there yet is made with that code. A listing can be mapped anew at any time; a SKU that was made stays.',
    confirm: 'Map',
    act: async (): Promise<Outcome> => {
      const rows = skus.map((sku) => ({ channelSku: sku, sku, units: 1 }));
      const report = await call<Import>('POST', `${base}/listings/import?partial=true&createSkus=true`, rows);
      const refused = report.rows
        .filter(({ status }) => status === 'refused' || status === 'skipped')
        .map(({ channelSku, reason = 'refused' }) => ({ name: channelSku, reason }));
      const made = report.createdSkus.length;
      return {
        done: `${named(skus.length - refused.length)} mapped${made ? `, ${made} of our SKUs made` : ''}`,
        refused,
      };
    },
  };
}

function setIgnored(base: string, skus: readonly string[], ignored: boolean): Deed {
  return {
    title: ignored ? `Ignore ${named(skus.length)}` : `Put ${named(skus.length)} back into the queue`,
    explains: ignored
      ? 'They leave the queue, and are neither pushed nor proposed. They can be put back from “Ignored”.'
      : 'They wait for a person again.',
    confirm: ignored ? 'Ignore' : 'Put back',
    act: async () => {
      const path = `${base}/unmapped/${ignored ? 'ignore' : 'unignore'}`;
      const { changed, unknown } = await call<{ changed: number; unknown: string[] }>('POST', path, {
        channelSkus: skus,
      });
      const refused = unknown.map((name) => ({ name, reason: 'it is not in the queue any more' }));
      return { done: `${named(changed)} ${ignored ? 'ignored' : 'back in the queue'}`, refused };
    },
  };
}
