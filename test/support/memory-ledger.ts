import type { LedgerCommand, Outcome } from '../../src/inventory/commands';
import { decideCommand } from '../../src/inventory/decide-command';
import { LockedStock } from '../../src/inventory/ledger-reader';
import { EMPTY_LEVEL, evolve, type Level } from '../../src/inventory/level';
import type { Reservation } from '../../src/inventory/reservation';
import { type DraftEvent, type DraftShortfall, StockDraft } from '../../src/inventory/stock-draft';

type WithoutEnvelope<Command> = Command extends LedgerCommand ? Omit<Command, 'key' | 'actor'> : never;
/** A command without key and actor, which no rule looks at. */
export type BareCommand = WithoutEnvelope<LedgerCommand>;

/** What one command did. */
export interface Posted {
  outcome: Outcome;
  events: readonly DraftEvent[];
  shortfalls: readonly DraftShortfall[];
}

/** The rules over stock in memory: what the ledger service does, without database, keys and batches. */
export class MemoryLedger {
  readonly stock: LockedStock;
  readonly events: DraftEvent[] = [];
  /** The newest word on each shortfall; those of 0 units are gone. */
  readonly openShortfalls = new Map<string, number>();

  constructor(locationsInPriority: readonly number[] = [1, 2, 3]) {
    this.stock = new LockedStock({
      priorityOf: (id) => locationsInPriority.indexOf(id),
      servesOrders: () => true,
    });
  }

  post(command: BareCommand): Posted {
    const draft = new StockDraft(this.stock);
    const outcome = decideCommand(draft, { ...command, key: 'k', actor: 'test' } as LedgerCommand);
    if ('refused' in outcome) return { outcome, events: [], shortfalls: [] };
    this.stock.take(draft);
    this.events.push(...draft.events);
    for (const shortfall of draft.shortfalls) this.note(shortfall);
    return { outcome, events: draft.events, shortfalls: draft.shortfalls };
  }

  /** Units for sale and so on, by name. */
  level(skuId: number, locationId: number): Level {
    return this.stock.level(skuId, locationId);
  }

  /** The fold of all events so far, as a rebuild makes it. */
  fold(skuId: number, locationId: number): Level {
    return this.events
      .filter((each) => each.skuId === skuId && each.locationId === locationId)
      .reduce((level, each) => evolve(level, each.event), EMPTY_LEVEL);
  }

  reservation(id: string): Reservation {
    return this.stock.reservation(id)!;
  }

  restock(skuId: number, locationId: number, quantityUnits: number): void {
    this.post({ kind: 'move', type: 'RESTOCK', skuId, locationId, quantityUnits });
  }

  private note({ cause, skuId, locationId, channel, orderId, lineId, quantityUnits }: DraftShortfall): void {
    const key = cause === 'count' ? `${skuId}@${locationId}` : `${channel}/${orderId}/${lineId}|${skuId}`;
    if (quantityUnits > 0) this.openShortfalls.set(key, quantityUnits);
    else this.openShortfalls.delete(key);
  }
}
