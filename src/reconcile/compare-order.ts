import type { OrderDocument } from '../channel-api';

/** An order as we know it. */
export interface KnownOrder {
  revision: number;
  document: Pick<OrderDocument, 'lines'>;
  /** The newest revision that the ledger settled; null where nothing of it was ours to reserve. */
  settledRevision: number | null;
}

export type OrderDifference = 'missing' | 'different' | 'unsettled' | 'extra';

/**
 * How an order that the channel lists differs from ours, with a sentence for a person; undefined where it does
 * not. A channel's list may lag behind its webhooks: what is newer here is no difference. Pure.
 */
export function differenceOf(
  listed: OrderDocument,
  known: KnownOrder | undefined,
): { difference: OrderDifference; detail: string } | undefined {
  if (!known)
    return { difference: 'missing', detail: `the channel lists it as of revision ${listed.revision}` };
  if (known.revision > listed.revision) return undefined;
  if (known.revision < listed.revision) {
    const detail = `known as of revision ${known.revision}, the channel has ${listed.revision}`;
    return { difference: 'different', detail };
  }
  const lines = differingLines(listed, known.document);
  if (lines.length > 0) return { difference: 'different', detail: `other units in line ${lines.join(', ')}` };
  if (known.settledRevision !== null && known.settledRevision < known.revision) {
    const detail = `the ledger has it as of revision ${known.settledRevision}, not ${known.revision}`;
    return { difference: 'unsettled', detail };
  }
  return undefined;
}

function differingLines(a: Pick<OrderDocument, 'lines'>, b: Pick<OrderDocument, 'lines'>): string[] {
  const [ofA, ofB] = [textsOf(a), textsOf(b)];
  return [...new Set([...ofA.keys(), ...ofB.keys()])].filter((lineId) => ofA.get(lineId) !== ofB.get(lineId));
}

function textsOf({ lines }: Pick<OrderDocument, 'lines'>): Map<string, string> {
  return new Map(
    lines.map(({ lineId, channelSku, ordered, cancelled, fulfilled, returned }) => [
      lineId,
      JSON.stringify([channelSku, ordered, cancelled, fulfilled, returned]),
    ]),
  );
}
