import type { ComponentChildren } from 'preact';
import { linkTo, useQuery, useRoute } from '../route';

/**
 * Parts of a page of which one is shown at a time. Each has an address of its own, kept in `show`; what else is kept
 * in the address belongs to the part and is left behind.
 */
export function Tabs({
  label,
  of,
  keep = [],
}: {
  label: string;
  of: readonly { value: string; text: ComponentChildren }[];
  /** What else in the address stays, such as the channel. */
  keep?: readonly string[];
}) {
  const { path } = useRoute();
  const [query] = useQuery();
  const current = query.show ?? of[0]!.value;
  const kept = Object.fromEntries(keep.map((name) => [name, query[name]]));
  return (
    <nav class="tabs" aria-label={label}>
      {of.map(({ value, text }) => (
        <a
          key={value}
          href={linkTo(path, { ...kept, show: value })}
          aria-current={value === current ? 'true' : undefined}
        >
          {text}
        </a>
      ))}
    </nav>
  );
}
