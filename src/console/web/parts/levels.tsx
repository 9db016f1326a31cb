import type { ComponentChildren } from 'preact';
import { linkTo } from '../route';
import { Count } from './basics';
import { type Moment, momentFields } from './moment';
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

/** The columns of a level, each figure leading to the events that made it, nought too; at a moment, to those until then. */
export function levelColumns<T>(
  levelOf: (item: T) => LevelView,
  placeOf: (item: T) => { sku: string; location?: string; moment?: Moment },
): Column<T>[] {
  return FIGURES.map(({ name, of, state }) => ({
    name,
    number: true,
    of: (item) => {
      const { sku, location, moment } = placeOf(item);
      return (
        <Count
          of={levelOf(item)[of]}
          to={skuLink(sku, { show: 'events', state, location, ...momentFields(moment) })}
          always
          quiet
          names={`${name.toLowerCase()} of ${sku}${location ? ` at ${location}` : ''}: the events`}
        />
      );
    },
  }));
}

/** The same figures over all locations, for a row below the others. */
export function levelCells(level: LevelView, sku: string, moment?: Moment): ComponentChildren {
  return FIGURES.map(({ name, of, state }) => (
    <td key={name} class="number">
      <Count
        of={level[of]}
        to={skuLink(sku, { show: 'events', state, ...momentFields(moment) })}
        always
        quiet
        names={`${name.toLowerCase()} of ${sku} over all locations: the events`}
      />
    </td>
  ));
}

/** A difference, with its sign. */
export function signed(units: number): string {
  return `${units > 0 ? '+' : ''}${units}`;
}
