import { useApi } from '../hooks';
import { useStockNews } from '../live';
import { Count, OwnCount, Shown } from '../parts/basics';
import { skuLink } from '../parts/levels';
import { type Moment, momentFields } from '../parts/moment';
import { linkTo } from '../route';
import { listingLink } from '../parts/listing-links';

interface WithheldUnits {
  kind: string;
  units: number;
  policy: string;
  reason: string;
}

interface ComponentView {
  sku: string;
  unitsPerListing: number;
  physical: number;
  reserved: number;
  quarantined: number;
  damaged: number;
  available: number;
  buffers: WithheldUnits[];
  sellable: number;
  listings: number;
  /** By the code of the locations that serve the channel. */
  versions: Record<string, number>;
}

export interface WaterfallView {
  /** Whose it is; a push's own waterfall does not say. */
  channel?: string;
  channelSku?: string;
  components: ComponentView[];
  uncapped: number;
  cap: number | null;
  capSource: string | null;
  quantity: number;
}

/** How a listing's published quantity comes about, from what is there to what is shown. */
export function Waterfall({ id }: { id: number }) {
  const waterfall = useApi<WaterfallView>(`/v1/listings/${id}/waterfall`);
  useStockNews(waterfall.data?.components.map(({ sku }) => sku) ?? [], waterfall.reload);
  return (
    <Shown
      of={waterfall}
      isEmpty={({ components }) => components.length === 0}
      empty={<p>It holds no SKU.</p>}
    >
      {(data) => <Steps of={data} />}
    </Shown>
  );
}

/** Each line leads to what explains it; those of a push to what was known when it was sent. */
export function Steps({ of, knownAt }: { of: WaterfallView; knownAt?: string }) {
  const { channel, channelSku, components, uncapped, cap, capSource, quantity } = of;
  const pushes = channel && channelSku ? listingLink(channel, channelSku, { show: 'pushes' }) : undefined;
  const moment: Moment | undefined = knownAt ? { at: knownAt, as: 'known' } : undefined;
  return (
    <table class="waterfall">
      <caption>
        How <OwnCount of={quantity} as="listed" /> comes about
      </caption>
      <tbody>
        {components.map((component) => (
          <Component
            key={component.sku}
            component={component}
            alone={components.length === 1}
            moment={moment}
          />
        ))}
        {components.length > 1 && <Step name="What the scarcest of them makes" units={uncapped} />}
        {cap !== null && <Step name={`Never more than (${capSource})`} units={cap} />}
        <Step name="Should be shown" units={quantity} to={pushes} total />
      </tbody>
    </table>
  );
}

function Component({
  component,
  alone,
  moment,
}: {
  component: ComponentView;
  alone: boolean;
  moment?: Moment;
}) {
  const { sku, physical, reserved, quarantined, damaged, buffers, sellable, unitsPerListing, listings } =
    component;
  const location = Object.keys(component.versions ?? {}).join(',');
  const events = (state: string) =>
    skuLink(sku, { show: 'events', state, location, ...momentFields(moment) });
  return (
    <>
      {!alone && (
        <tr>
          <th scope="rowgroup" colSpan={2}>
            <a href={skuLink(sku)}>{sku}</a>
          </th>
        </tr>
      )}
      <Step name="Physical" units={physical} to={events('physical')} />
      <Step
        name="Reserved"
        units={-reserved}
        to={moment ? events('reserved') : skuLink(sku, { show: 'reservations' })}
      />
      <Step name="Quarantined" units={-quarantined} to={events('quarantined')} />
      <Step name="Damaged" units={-damaged} to={events('damaged')} />
      {buffers.map((buffer) => (
        <Step
          key={`${buffer.kind} ${buffer.policy}`}
          name={`Withheld: ${buffer.reason}`}
          units={-buffer.units}
          to={bufferLink(sku, buffer)}
          always
        />
      ))}
      <Step name="Can be sold" units={sellable} total />
      {unitsPerListing > 1 && <Step name={`In packs of ${unitsPerListing}`} units={listings} total />}
    </>
  );
}

/** A hold is among the holds, a policy among the policies, and what sales ask for with the SKU's sales. */
export function bufferLink(sku: string, { kind, policy }: Pick<WithheldUnits, 'kind' | 'policy'>): string {
  if (kind === 'hold') return linkTo('/buffers', { show: 'holds' });
  if (kind === 'static' || kind === 'window') return linkTo('/buffers', { policy });
  return skuLink(sku, { show: 'withheld' });
}

/** Steps that take nothing are left out, but for those that a rule is behind. */
function Step({
  name,
  units,
  to,
  total,
  always,
}: {
  name: string;
  units: number;
  to?: string;
  total?: boolean;
  always?: boolean;
}) {
  if (units === 0 && !total && !always) return null;
  return (
    <tr class={[total && 'total', always && 'buffer'].filter(Boolean).join(' ') || undefined}>
      <th scope="row">{name}</th>
      <td class="number">
        {to ? <Count of={units} to={to} names={name} always /> : <OwnCount of={units} as="listed" />}
      </td>
    </tr>
  );
}
