import type { LedgerCommand, MoveCommand, MoveView, Outcome } from './commands';
import { decideReservation, decideReserve } from './decide-reservation';
import { decideSettlement } from './decide-settlement';
import type { Movement } from './decide';
import type { Refusal } from './refusal';
import type { StockDraft } from './stock-draft';

/** Decides any command against a draft. A refused command's draft must be dropped. Pure. */
export function decideCommand(draft: StockDraft, command: LedgerCommand): Outcome {
  switch (command.kind) {
    case 'move':
      return command.type === 'TRANSFER' ? decideTransfer(draft, command) : decideMove(draft, command);
    case 'reserve':
      return decideReserve(draft, command);
    case 'settle-order':
      return decideSettlement(draft, command);
    default:
      return decideReservation(draft, command);
  }
}

function decideMove(draft: StockDraft, command: MoveCommand): Outcome {
  const { type, quantityUnits, from, to, state } = command;
  const refused = postLeg(draft, command, command.locationId, { type, quantityUnits, from, to, state });
  return refused ? { refused } : { move: viewOf(draft, command) };
}

/** Two legs, one event each: A's available goes outside of A, and is then in transit to B. */
function decideTransfer(draft: StockDraft, command: MoveCommand): Outcome {
  const { type, quantityUnits, locationId, toLocationId } = command;
  const leaving: Movement = { type, quantityUnits, from: 'available', to: 'outside' };
  const arriving: Movement = { type, quantityUnits, from: 'outside', to: 'in_transit' };
  const refused =
    postLeg(draft, command, locationId, leaving, toLocationId) ??
    postLeg(draft, command, toLocationId!, arriving, locationId);
  return refused ? { refused } : { move: viewOf(draft, command) };
}

function postLeg(
  draft: StockDraft,
  command: MoveCommand,
  locationId: number,
  movement: Movement,
  counterpartLocationId?: number,
): Refusal | undefined {
  const { skuId, reason, reference, occurredAt } = command;
  return draft.post(skuId, locationId, movement, { counterpartLocationId, reason, reference, occurredAt });
}

function viewOf(draft: StockDraft, command: MoveCommand): MoveView {
  return {
    type: command.type,
    skuId: command.skuId,
    quantity: command.quantityUnits,
    recordedAt: draft.now.toISOString(),
    legs: draft.events.map(({ locationId, after }) => ({
      locationId,
      version: after.version,
      available: after.available,
    })),
  };
}
