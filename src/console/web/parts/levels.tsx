import type { ComponentChildren } from 'preact';
import { linkTo } from '../route';
import { Count } from './basics';
import type { Column } from './table';

/** Units of one SKU, at one location or at all of them. */
export interface LevelView {
  physical: number;
  available: number;
  reserved: number;
  quarantined: number;
  damaged: number;
  inTransit: number;
  onOrder: number;
}

/** Each figure, and what the API calls the state whose events explain it. */
const FIGURES: { name: string; of: keyof LevelView; state: string }[] = [
  { name: 'Available', of: 'available', state: 'available' },
  { name: 'Reserved', of: 'reserved', state: 'reserved' },
  { name: 'Quarantined', of: 'quarantined', state: 'quarantined' },
  { name: 'Damaged', of: 'damaged', state: 'damaged' },
  { name: 'Physical', of: 'physical', state: 'physical' },
  { name: 'In transit', of: 'inTransit', state: 'in_transit' },
  { name: 'On order', of: 'onOrder', state: 'on_order' },
];

export const STATE_NAMES = FIGURES.map(({ name, state }) => ({ value: state, text: name }));

export function skuLink(sku: string, query: Record<string, string | undefined> = {}): string {
  return linkTo(`/stock/${encodeURIComponent(sku)}`, query);
}

/** The columns of a level, each figure leading to the events that made it. */
export function levelColumns<T>(
  levelOf: (item: T) => LevelView,
  placeOf: (item: T) => { sku: string; location?: string },
): Column<T>[] {
  return FIGURES.map(({ name, of, state }) => ({
    name,
    number: true,
    of: (item) => {
      const { sku, location } = placeOf(item);
      return (
        <Units
          of={levelOf(item)[of]}
          to={skuLink(sku, { show: 'events', state, location })}
          names={`${name.toLowerCase()} of ${sku}${location ? ` at ${location}` : ''}: the events`}
        />
      );
    },
  }));
}

/** The same figures over all locations, for a row below the others; with `sku`, each leads to its events. */
export function levelCells(level: LevelView, sku?: string): ComponentChildren {
  return FIGURES.map(({ name, of, state }) => (
    <td key={name} class="number">
      {sku === undefined ? (
        <Count of={level[of]} />
      ) : (
        <Units
          of={level[of]}
          to={skuLink(sku, { show: 'events', state })}
          names={`${name.toLowerCase()} of ${sku} over all locations: the events`}
        />
      )}
    </td>
  ));
}

/** Unlike a count, nought and less than nought have their events too. */
function Units({ of, to, names }: { of: number; to: string; names: string }) {
  const tone = of < 0 ? 'below' : of === 0 ? 'zero' : '';
  return (
    <a class={`count units ${tone}`} href={to} aria-label={`${of} ${names}`}>
      <Count of={of} />
    </a>
  );
}
