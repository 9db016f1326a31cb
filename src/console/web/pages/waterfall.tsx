import { useApi } from '../hooks';
import { Count, Shown } from '../parts/basics';
import type { WaterfallView } from '../types';

/** How a listing's published quantity comes about, from what is there to what is shown. */
export function Waterfall({ id }: { id: number }) {
  const waterfall = useApi<WaterfallView>(`/v1/listings/${id}/waterfall`);
  return (
    <Shown
      of={waterfall}
      isEmpty={({ components }) => components.length === 0}
      empty={<p>It holds no SKU.</p>}
    >
      {({ components, uncapped, cap, capSource, quantity }) => (
        <table class="waterfall">
          <caption>How {quantity} comes about</caption>
          <tbody>
            {components.map((component) => (
              <Component key={component.sku} component={component} alone={components.length === 1} />
            ))}
            {components.length > 1 && <Step name="What the scarcest of them makes" units={uncapped} />}
            {cap !== null && <Step name={`Never more than (${capSource})`} units={cap} />}
            <Step name="Should be shown" units={quantity} total />
          </tbody>
        </table>
      )}
    </Shown>
  );
}

function Component({ component, alone }: { component: WaterfallView['components'][number]; alone: boolean }) {
  const { sku, physical, reserved, quarantined, damaged, buffers, sellable, unitsPerListing, listings } =
    component;
  return (
    <>
      {!alone && (
        <tr>
          <th scope="rowgroup" colSpan={2}>
            {sku}
          </th>
        </tr>
      )}
      <Step name="Physical" units={physical} />
      <Step name="Reserved" units={-reserved} />
      <Step name="Quarantined" units={-quarantined} />
      <Step name="Damaged" units={-damaged} />
      {buffers.map(({ reason, units }) => (
        <Step key={reason} name={`Withheld: ${reason}`} units={-units} always />
      ))}
      <Step name="Can be sold" units={sellable} total />
      {unitsPerListing > 1 && <Step name={`In packs of ${unitsPerListing}`} units={listings} total />}
    </>
  );
}

/** Steps that take nothing are left out, but for those that a rule is behind. */
function Step({
  name,
  units,
  total,
  always,
}: {
  name: string;
  units: number;
  total?: boolean;
  always?: boolean;
}) {
  if (units === 0 && !total && !always) return null;
  return (
    <tr class={total ? 'total' : ''}>
      <th scope="row">{name}</th>
      <td class="number">
        <Count of={units} />
      </td>
    </tr>
  );
}
