import { call } from '../api';
import { useLive } from '../live';
import { OwnCount } from '../parts/basics';
import { DialogForm } from '../parts/dialog-form';
import { ReasonField } from '../parts/reason-field';
import { DoButton } from '../parts/do';
import { skuLink } from '../parts/levels';
import { OpenButton } from '../parts/open-button';
import { Table } from '../parts/table';
import { Time } from '../parts/time';
import { toast } from '../parts/toast';
import { useMay } from '../session';

export interface Hold {
  id: number;
  sku: string;
  location: string | null;
  channel: string | null;
  units: number;
  percent: number;
  reason: string;
  placedBy: string;
  placedAt: string;
  until: string | null;
}

/** What people withhold by hand. */
export function HoldTable({ items, onDone }: { items: Hold[]; onDone: () => void }) {
  const mayAct = useMay('channels:write');
  return (
    <Table
      label="Holds"
      items={items}
      keyOf={({ id }) => id}
      columns={[
        {
          name: 'SKU',
          heading: true,
          of: ({ sku }) => <a href={skuLink(sku, { show: 'withheld' })}>{sku}</a>,
        },
        {
          name: 'Withheld',
          number: true,
          of: ({ units, percent }) => (
            <>
              {units > 0 && <OwnCount of={units} as="set" />}
              {units > 0 && percent > 0 && ' or '}
              {percent > 0 && <OwnCount of={percent} text={`${percent} %`} as="set" />}
            </>
          ),
        },
        {
          name: 'From',
          of: ({ channel, location }) => [channel ?? 'every channel', location].filter(Boolean).join(', '),
        },
        { name: 'Why', class: 'long', of: ({ reason }) => reason },
        {
          name: 'Placed',
          of: ({ placedAt, placedBy }) => (
            <>
              <Time at={placedAt} /> <span class="quiet">by {placedBy}</span>
            </>
          ),
        },
        {
          name: 'Until',
          of: ({ until }) => (until ? <Time at={until} /> : <span class="quiet">somebody ends it</span>),
        },
        ...(mayAct
          ? [
              {
                name: 'Do',
                class: 'actions',
                of: (hold: Hold) => <EndHold hold={hold} onDone={onDone} />,
              },
            ]
          : []),
      ]}
    />
  );
}

function EndHold({ hold: { id, sku }, onDone }: { hold: Hold; onDone: () => void }) {
  return (
    <DoButton
      needs="channels:write"
      label="End"
      name={`End the hold ${id} on ${sku}`}
      deed={{
        title: `End the hold on ${sku}`,
        explains: 'What it withheld is shown again at once. Another hold can be placed at any time.',
        confirm: 'End it',
        act: async () => {
          await call('DELETE', `/v1/buffers/holds/${id}`);
          return { done: `The hold on ${sku} has ended` };
        },
      }}
      onDone={onDone}
    />
  );
}

/** A button that opens the form of a hold, on one SKU or any. */
export function PlaceHold({ sku, onDone }: { sku?: string; onDone: () => void }) {
  return (
    <OpenButton
      needs="channels:write"
      label="Place a hold"
      dialog={(close) => <HoldDialog sku={sku} onClose={close} />}
      onDone={onDone}
    />
  );
}

function HoldDialog({ sku: given, onClose }: { sku?: string; onClose: (done: boolean) => void }) {
  async function act(form: HTMLFormElement) {
    const hold = holdOf(form, given);
    await call('POST', '/v1/buffers/holds', hold);
    toast(`${hold.sku} is held`);
    onClose(true);
  }
  return (
    <DialogForm
      title={given ? `Withhold units of ${given}` : 'Withhold units of a SKU'}
      confirm="Hold"
      act={act}
      onLeave={() => onClose(false)}
    >
      <p>It comes on top of what policies withhold, counts at once, and can be ended at any time.</p>
      <HoldFields needsSku={!given} />
      <ReasonField id="hold-reason" name="reason" />
    </DialogForm>
  );
}

function HoldFields({ needsSku }: { needsSku: boolean }) {
  const { channels } = useLive();
  return (
    <div class="two">
      {needsSku && (
        <label class="field">
          SKU
          <input name="sku" required maxLength={100} />
        </label>
      )}
      <label class="field">
        From
        <select name="channel">
          <option value="">every channel</option>
          {channels?.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label class="field">
        Units
        <input name="units" type="number" min={0} step={1} />
      </label>
      <label class="field">
        or percent of what is available
        <input name="percent" type="number" min={0} max={100} step="any" />
      </label>
      <label class="field">
        Until (may be left out)
        <input name="until" type="datetime-local" />
      </label>
    </div>
  );
}

function holdOf(form: HTMLFormElement, sku: string | undefined) {
  const given = new FormData(form);
  const text = (name: string) => ((given.get(name) as string | null) ?? '').trim();
  const [channel, until] = [text('channel'), text('until')];
  return {
    sku: sku ?? text('sku'),
    ...(channel && { channel }),
    units: Number(text('units') || 0),
    percent: Number(text('percent') || 0),
    reason: text('reason'),
    ...(until && { until: new Date(until).toISOString() }),
  };
}
