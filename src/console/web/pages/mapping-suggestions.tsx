import { call } from '../api';
import { Badge, OwnCount, Shown } from '../parts/basics';
import { type Chosen, ChosenBar, useChosen } from '../parts/chosen';
import { type Deed, DoButton, type Outcome } from '../parts/do';
import { skuLink } from '../parts/levels';
import { type Column, Pages, Table, usePaged } from '../parts/table';
import { useMay } from '../session';

interface Suggestion {
  id: number;
  channelSku: string;
  title: string | null;
  barcode: string | null;
  sku: string;
  skuName: string | null;
  reasons: ('sku' | 'former-sku' | 'barcode' | 'similar-sku')[];
  score: number;
  alternatives: string[];
  sharedWith: string[];
}

const REASONS: Record<Suggestion['reasons'][number], string> = {
  sku: 'same code',
  'former-sku': 'former code',
  barcode: 'same barcode',
  'similar-sku': 'similar code',
};

/** What unmapped SKUs may be: confirmed or turned down, many at once. */
export function Suggestions({ channel, dismissed }: { channel: string; dismissed: boolean }) {
  const base = `/v1/channels/${encodeURIComponent(channel)}/suggestions`;
  const proposals = usePaged<Suggestion>(base, { dismissed: dismissed ? 'true' : undefined }, 100);
  const mayAct = useMay('channels:write');
  const items = proposals.data?.items ?? [];
  const chosen = useChosen(
    items,
    ({ id }) => id,
    ({ channelSku, sku }) => `${channelSku} as ${sku}`,
  );
  const finish = () => {
    chosen.none();
    proposals.reload();
  };
  return (
    <>
      {!dismissed && (
        <div class="buttons before">
          <DoButton
            needs="channels:write"
            label="Look for matches"
            deed={lookFor(channel, base)}
            onDone={proposals.reload}
          />
        </div>
      )}
      <Shown
        of={proposals}
        isEmpty={() => items.length === 0 && !proposals.hasBefore}
        empty={
          <p>
            {dismissed
              ? 'None was turned down.'
              : 'Nothing is proposed. “Look for matches” reads the channel and compares codes and barcodes.'}
          </p>
        }
      >
        {() => (
          <>
            <Table
              label={dismissed ? 'Turned down' : 'Suggestions'}
              items={items}
              keyOf={({ id }) => id}
              columns={[...(mayAct ? [chosen.column] : []), ...COLUMNS]}
            />
            {mayAct && (
              <Acts base={base} chosen={chosen} shown={items.length} dismissed={dismissed} onDone={finish} />
            )}
            <Pages of={proposals} />
          </>
        )}
      </Shown>
    </>
  );
}

function Acts({
  base,
  chosen,
  shown,
  dismissed,
  onDone,
}: {
  base: string;
  chosen: Chosen<Suggestion>;
  shown: number;
  dismissed: boolean;
  onDone: () => void;
}) {
  return (
    <ChosenBar of={chosen} shown={shown}>
      <DoButton
        needs="channels:write"
        primary
        label="Map as proposed"
        disabled={chosen.items.length === 0}
        deed={decide(base, 'confirm', chosen.items)}
        onDone={onDone}
      />
      {!dismissed && (
        <DoButton
          needs="channels:write"
          label="Turn down"
          disabled={chosen.items.length === 0}
          deed={decide(base, 'dismiss', chosen.items)}
          onDone={onDone}
        />
      )}
    </ChosenBar>
  );
}

function lookFor(channel: string, base: string): Deed {
  return {
    title: `Look for matches on ${channel}`,
    explains:
      'The channel is read page by page, which takes a while for a large one. Nothing is mapped by it.',
    confirm: 'Look',
    act: async () => {
      const { read, proposed } = await call<{ read: number; proposed: number }>('POST', base);
      return { done: `${read} items read, ${proposed} ${proposed === 1 ? 'match' : 'matches'} proposed` };
    },
  };
}

interface Decided {
  items: { id: number; status: 'mapped' | 'dismissed' | 'refused'; channelSku?: string; reason?: string }[];
}

function decide(base: string, verdict: 'confirm' | 'dismiss', items: readonly Suggestion[]): Deed {
  const what = `${items.length} ${items.length === 1 ? 'match' : 'matches'}`;
  const ambiguous = items.filter(
    ({ alternatives, sharedWith }) => alternatives.length + sharedWith.length > 0,
  );
  return {
    title: verdict === 'confirm' ? `Map ${what} as proposed` : `Turn ${what} down`,
    explains:
      verdict === 'confirm'
        ? `One unit each; packs are mapped by hand.${ambiguous.length > 0 ? ` ${ambiguous.length} of them are not the only possibility.` : ''} A listing can be mapped anew at any time.`
        : 'They are not proposed again. They stay under “Turned down”, and can be mapped from there.',
    confirm: verdict === 'confirm' ? 'Map' : 'Turn down',
    act: async (): Promise<Outcome> => {
      const decided = await call<Decided>('POST', `${base}/${verdict}`, { ids: items.map(({ id }) => id) });
      const refused = decided.items
        .filter(({ status }) => status === 'refused')
        .map(({ id, channelSku = `suggestion ${id}`, reason = 'refused' }) => ({ name: channelSku, reason }));
      const did = items.length - refused.length;
      return { done: `${did} ${verdict === 'confirm' ? 'mapped' : 'turned down'}`, refused };
    },
  };
}

const COLUMNS: Column<Suggestion>[] = [
  {
    name: 'Channel SKU',
    heading: true,
    of: ({ channelSku, title, barcode }) => (
      <>
        {channelSku}
        <span class="quiet">{[title !== channelSku && title, barcode].filter(Boolean).join(', ')}</span>
      </>
    ),
  },
  {
    name: 'Our SKU',
    of: ({ sku, skuName }) => (
      <>
        <a href={skuLink(sku)}>{sku}</a>
        {skuName && <span class="quiet why">{skuName}</span>}
      </>
    ),
  },
  {
    name: 'Because of',
    of: ({ reasons, score }) => (
      <>
        {reasons.map((reason) => (
          <Badge key={reason} tone={reason === 'similar-sku' ? 'plain' : 'good'}>
            {REASONS[reason]}
          </Badge>
        ))}{' '}
        <span class="quiet">
          <OwnCount of={score} as="recorded" /> of 100
        </span>
      </>
    ),
  },
  {
    name: 'But',
    class: 'long',
    of: ({ alternatives, sharedWith }) => (
      <span class="quiet">
        {[
          alternatives.length > 0 && `may also be ${alternatives.join(', ')}`,
          sharedWith.length > 0 && `also for ${sharedWith.join(', ')}`,
        ]
          .filter(Boolean)
          .join('; ')}
      </span>
    ),
  },
];
