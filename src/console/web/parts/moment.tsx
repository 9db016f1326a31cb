import { useState } from 'preact/hooks';
import { useSettled } from '../hooks';
import { useQuery } from '../route';

/** A moment that stock is shown at: what was true then, or what was known then. */
export interface Moment {
  /** ISO 8601. */
  at: string;
  as: 'was' | 'known';
}

export function momentQuery({ at, as }: Moment): string {
  return `${as === 'known' ? 'knownAt' : 'asOf'}=${encodeURIComponent(at)}`;
}

/** As the address keeps it. */
export function momentFields(moment: Moment | undefined): { at?: string; as?: string } {
  return { at: moment?.at, as: moment?.as };
}

export interface ChosenMoment {
  current?: Moment;
  /** The same, once it is not being moved any more. */
  settled?: Moment;
  set(moment: Moment | undefined): void;
}

/** Kept in the address. */
export function useMoment(): ChosenMoment {
  const [{ at, as }, change] = useQuery();
  const isTime = at !== undefined && !Number.isNaN(Date.parse(at));
  const current: Moment | undefined = isTime ? { at, as: as === 'known' ? 'known' : 'was' } : undefined;
  const text = useSettled(current ? `${current.as} ${current.at}` : '', 120);
  const [settledAs, settledAt] = text.split(' ');
  // Back to now is at once: nothing has to be asked for.
  const settled = current && settledAt ? { at: settledAt, as: settledAs as Moment['as'] } : undefined;
  return { current, settled, set: (moment) => change({ ...momentFields(moment) }) };
}

const STEPS = 1_000;
const SHORTEST_MS = 3_600_000;

/** A slider from when the SKU was made to now; its arrow keys go by a thousandth of that, and the field to the second. */
export function MomentPicker({ moment, since }: { moment: ChosenMoment; since: string | undefined }) {
  const { current, set } = moment;
  const [opened] = useState(Date.now());
  const start = Math.min(
    since ? Date.parse(since) : opened,
    opened - SHORTEST_MS,
    current ? Date.parse(current.at) : opened,
  );
  const as = current?.as ?? 'was';
  const step = current ? Math.round(((Date.parse(current.at) - start) / (opened - start)) * STEPS) : STEPS;
  const at = (to: number) => new Date(start + ((opened - start) * to) / STEPS).toISOString();
  const words = current ? new Date(current.at).toLocaleString() : 'now';
  return (
    <div class="moment" role="group" aria-label="The moment shown">
      <fieldset>
        <legend class="unseen">Stock of a moment</legend>
        <Way value="was" text="As it was" moment={moment} as={as} />
        <Way value="known" text="As we knew it" moment={moment} as={as} />
      </fieldset>
      <input
        type="range"
        min={0}
        max={STEPS}
        value={step}
        aria-label="Moment"
        aria-valuetext={words}
        onInput={(event) => {
          const to = Number(event.currentTarget.value);
          set(to === STEPS ? undefined : { at: at(to), as });
        }}
      />
      <label>
        <span class="unseen">As of</span>
        <input
          type="datetime-local"
          step="1"
          value={current ? localTime(new Date(current.at)) : ''}
          onInput={({ currentTarget: { value } }) =>
            set(value ? { at: new Date(value).toISOString(), as } : undefined)
          }
        />
      </label>
      <button type="button" disabled={!current} onClick={() => set(undefined)}>
        Now
      </button>
      {current && (
        <p class="quiet">
          {as === 'was'
            ? `What was true at ${words}, with what we heard of only later.`
            : `What we knew at ${words}, whenever it happened.`}
        </p>
      )}
    </div>
  );
}

function Way({
  value,
  text,
  moment: { current, set },
  as,
}: {
  value: Moment['as'];
  text: string;
  moment: ChosenMoment;
  as: Moment['as'];
}) {
  return (
    <label>
      <input
        type="radio"
        name="as"
        checked={as === value}
        onChange={() => set({ at: current?.at ?? new Date().toISOString(), as: value })}
      />{' '}
      {text}
    </label>
  );
}

/** As the field has it: local, to the second. */
function localTime(time: Date): string {
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}
