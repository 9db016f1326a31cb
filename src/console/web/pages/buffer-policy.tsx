import { useState } from 'preact/hooks';
import { type ApiProblem, call } from '../api';
import { useLive } from '../live';
import { Count, OwnCount, sentence } from '../parts/basics';
import { Dialog } from '../parts/dialog';
import { signed } from '../parts/levels';
import { Table } from '../parts/table';
import { toast } from '../parts/toast';
import { listingLink } from '../parts/listing-links';
import { type BufferWindow, type DryRun, DryRunWords, figuresOf, type Policy } from './buffer-policies';
import { Backtest } from './buffer-backtest';

interface TriedOut extends DryRun {
  items: { listingId: number; channel: string; channelSku: string; from: number; to: number }[];
}

/** The figures that a policy may set, with the words of `docs/buffers.md`. Empty leaves a figure to a less specific one. */
const FIGURES: { key: string; label: string; max: number }[] = [
  { key: 'units', label: 'Units', max: 1e9 },
  { key: 'percent', label: 'or percent, if that is more', max: 100 },
  { key: 'syncLatencies', label: 'Sales of so many P99 latencies', max: 100 },
  { key: 'spikePercent', label: 'Percent more in a spike', max: 100 },
  { key: 'floorPercent', label: 'Percent a slow mover keeps', max: 100 },
  { key: 'staleUnits', label: 'Units while the channel is away', max: 1e9 },
  { key: 'stalePercent', label: 'or percent while it is away', max: 100 },
];
const SHOWN_CHANGES = 50;

type Draft = Record<string, string>;

/** Two steps: what the policy says, and what it would change. Nothing is changed before the second is confirmed. */
export function PolicyDialog({ policy, onClose }: { policy?: Policy; onClose: (done: boolean) => void }) {
  const [draft, setDraft] = useState<Draft>(() => draftOf(policy));
  const [tried, setTried] = useState<{ policy: Policy; run: TriedOut }>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function attempt(work: () => Promise<void>) {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
    } catch (error) {
      setProblem((error as ApiProblem).message);
    }
    setBusy(false);
  }
  const tryOut = () =>
    attempt(async () => {
      const asked = policyOf(draft, policy);
      const run = await call<TriedOut>('POST', '/v1/buffers/policies?dryRun=true', { policies: [asked] });
      setTried({ policy: asked, run });
    });
  const save = () =>
    attempt(async () => {
      await call('POST', '/v1/buffers/policies', { policies: [tried!.policy] });
      toast(`“${tried!.policy.name}” is in force`);
      onClose(true);
    });

  return (
    <Dialog title={policy ? `Change “${policy.name}”` : 'New policy'} onClose={() => onClose(false)}>
      <form
        class="wide"
        onSubmit={(event) => {
          event.preventDefault();
          void (tried ? save() : tryOut());
        }}
      >
        {tried ? <Changes of={tried.run} /> : <Fields draft={draft} isNew={!policy} onChange={setDraft} />}
        {tried && <Backtest policy={tried.policy} />}
        {problem && (
          <p role="alert" class="notice bad">
            {sentence(problem)}
          </p>
        )}
        <div class="buttons">
          <button type="submit" class="primary" disabled={busy}>
            {tried ? 'Put it in force' : 'See what it would change'}
          </button>
          {tried && (
            <button type="button" onClick={() => setTried(undefined)}>
              Back to the figures
            </button>
          )}
          <button type="button" onClick={() => onClose(false)}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

type FieldOf = (key: string) => {
  value: string;
  onInput: (event: { currentTarget: { value: string } }) => void;
};

function Fields({
  draft,
  isNew,
  onChange,
}: {
  draft: Draft;
  isNew: boolean;
  onChange: (draft: Draft) => void;
}) {
  const field: FieldOf = (key) => ({
    value: draft[key] ?? '',
    onInput: (event) => onChange({ ...draft, [key]: event.currentTarget.value }),
  });
  return (
    <>
      <ScopeFields draft={draft} isNew={isNew} field={field} />
      <fieldset class="plain">
        <legend>Withhold</legend>
        <div class="two">
          {FIGURES.map(({ key, label, max }) => (
            <label key={key} class="field">
              {label}
              <input type="number" min={0} max={max} step="any" {...field(key)} />
            </label>
          ))}
        </div>
      </fieldset>
      <WindowFields field={field} />
      <p class="quiet">
        What is left empty is left to less specific policies. The other figures are for onhand.yaml and the
        API.
      </p>
    </>
  );
}

function ScopeFields({ draft, isNew, field }: { draft: Draft; isNew: boolean; field: FieldOf }) {
  const { channels } = useLive();
  return (
    <div class="two">
      <label class="field">
        Name
        <input required maxLength={63} readOnly={!isNew} {...field('name')} />
      </label>
      <label class="field">
        Channel
        <select {...field('channel')}>
          <option value="">every channel</option>
          {channels?.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label class="field">
        SKU
        <input maxLength={100} disabled={Boolean(draft.tag)} {...field('sku')} />
      </label>
      <label class="field">
        or tag
        <input maxLength={100} disabled={Boolean(draft.sku)} {...field('tag')} />
      </label>
    </div>
  );
}

function WindowFields({ field }: { field: FieldOf }) {
  return (
    <fieldset class="plain">
      <legend>In a window, on top</legend>
      <div class="two">
        <label class="field">
          From
          <input type="datetime-local" {...field('windowFrom')} />
        </label>
        <label class="field">
          To
          <input type="datetime-local" {...field('windowTo')} />
        </label>
        <label class="field">
          Units
          <input type="number" min={0} step={1} {...field('windowUnits')} />
        </label>
        <label class="field">
          or percent
          <input type="number" min={0} max={100} step="any" {...field('windowPercent')} />
        </label>
        <label class="field">
          Released in steps
          <input type="number" min={1} max={100} step={1} {...field('windowSteps')} />
        </label>
      </div>
    </fieldset>
  );
}

function Changes({ of }: { of: TriedOut }) {
  const { changes, items } = of;
  return (
    <>
      <p>
        <DryRunWords of={of} />
      </p>
      {items.length > 0 && (
        <div class="kept">
          <Table
            label="What it would change"
            items={items.slice(0, SHOWN_CHANGES)}
            keyOf={({ listingId }) => listingId}
            columns={[
              {
                name: 'Listing',
                heading: true,
                of: ({ channel, channelSku }) => (
                  <a href={listingLink(channel, channelSku)} target="_blank" rel="noreferrer">
                    {channel} {channelSku}
                  </a>
                ),
              },
              {
                name: 'Shows now',
                number: true,
                of: ({ from, channel, channelSku }) => (
                  <Count of={from} to={listingLink(channel, channelSku)} names="shown now" aside />
                ),
              },
              { name: 'Would show', number: true, of: ({ to }) => <OwnCount of={to} as="reckoned" /> },
              {
                name: 'Change',
                number: true,
                of: ({ from, to }) => <OwnCount of={to - from} text={signed(to - from)} as="reckoned" />,
              },
            ]}
          />
        </div>
      )}
      {changes > SHOWN_CHANGES && <p class="quiet">These are the first {SHOWN_CHANGES} of them.</p>}
    </>
  );
}

function draftOf(policy: Policy | undefined): Draft {
  if (!policy) return {};
  const [window] = policy.windows ?? [];
  const local = (at: string) =>
    new Date(Date.parse(at) - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  const given = {
    ...Object.fromEntries(figuresOf(policy)),
    name: policy.name,
    channel: policy.channel,
    tag: policy.tag,
    sku: policy.sku,
    ...(window && {
      windowFrom: local(window.from),
      windowTo: local(window.to),
      windowUnits: window.units,
      windowPercent: window.percent,
      windowSteps: window.releaseSteps,
    }),
  };
  return Object.fromEntries(
    Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  );
}

/** Figures that the form does not have, and windows beyond the first, stay as they are. */
function policyOf(draft: Draft, before: Policy | undefined): Policy {
  const { origin: _origin, windows = [], ...rest } = before ?? { name: '' };
  const known = [...FIGURES.map(({ key }) => key), 'name', 'channel', 'tag', 'sku'];
  const kept = Object.fromEntries(Object.entries(rest).filter(([key]) => !known.includes(key)));
  const texts = ['name', 'channel', 'tag', 'sku'].flatMap((key) => {
    const text = draft[key]?.trim();
    return text ? [[key, text] as const] : [];
  });
  const figures = FIGURES.flatMap(({ key }) => {
    const text = draft[key]?.trim();
    return text ? [[key, Number(text)] as const] : [];
  });
  const window = windowOf(draft, windows[0]);
  const all = [...(window ? [window] : []), ...windows.slice(1)];
  return {
    ...kept,
    ...Object.fromEntries([...texts, ...figures]),
    ...(all.length > 0 && { windows: all }),
  } as Policy;
}

function windowOf(draft: Draft, before: BufferWindow | undefined): BufferWindow | undefined {
  const { windowFrom, windowTo, windowUnits, windowPercent, windowSteps } = draft;
  if (!windowFrom || !windowTo) return undefined;
  return {
    ...before,
    from: new Date(windowFrom).toISOString(),
    to: new Date(windowTo).toISOString(),
    units: Number(windowUnits || 0),
    percent: Number(windowPercent || 0),
    ...(windowSteps && { releaseSteps: Number(windowSteps) }),
  };
}
