import type { ComponentChildren } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { useSettled } from '../hooks';
import { useLive } from '../live';
import { useQuery } from '../route';

/** A line of filters above a list. Each is kept in the address: see `useQuery`. */
export function Filters({ children }: { children: ComponentChildren }) {
  return <search class="filters">{children}</search>;
}

/** One of several values; the first choice, with an empty value, filters nothing. */
export function ChoiceFilter({
  name,
  label,
  choices,
}: {
  name: string;
  label: string;
  choices: readonly { value: string; text: string }[];
}) {
  const [query, change] = useQuery();
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={query[name] ?? ''}
        onChange={(event) => change({ [name]: event.currentTarget.value })}
      >
        {choices.map(({ value, text }) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** One of the channels, or any. */
export function ChannelFilter() {
  const { channels } = useLive();
  return (
    <ChoiceFilter
      name="channel"
      label="Channel"
      choices={[
        { value: '', text: 'any' },
        ...(channels ?? []).map(({ name }) => ({ value: name, text: name })),
      ]}
    />
  );
}

/** Free text, which filters once the typing pauses. */
export function TextFilter({
  name,
  label,
  placeholder,
}: {
  name: string;
  label: string;
  placeholder?: string;
}) {
  const [query, change] = useQuery();
  const id = useId();
  const kept = query[name] ?? '';
  const [text, setText] = useState(kept);
  const settled = useSettled(text, 250);
  useEffect(() => {
    if (settled.trim() !== kept) change({ [name]: settled.trim() });
  }, [settled]);
  // Someone else may have changed the address: a link, or the button that clears the filters.
  useEffect(() => {
    if (kept !== text.trim() && kept !== settled.trim()) setText(kept);
  }, [kept]);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="search"
        value={text}
        placeholder={placeholder}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </div>
  );
}
