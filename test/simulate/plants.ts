/** A bug of our own making: texts of source files, and what they are replaced by before the files are compiled. */
export interface Plant {
  name: string;
  edits: { file: string; replace: string; by: string }[];
}

/** docs/proof.md says which of them are found, by which seed and by what invariant. */
export const PLANTS: readonly Plant[] = [
  plant(
    'keys-forgotten',
    'src/inventory/ledger.service.ts',
    'const known = stock.keys.get(command.key);',
    'const known = undefined as ReturnType<typeof stock.keys.get>;',
  ),
  plant(
    'acknowledged-before-commit',
    'src/intake/webhooks.controller.ts',
    'const { duplicate } = await this.inbox.receive(name, verdict.topic, webhook);',
    'const duplicate = false; this.inbox.receive(name, verdict.topic, webhook).catch(() => undefined);',
  ),
  plant(
    'pushed-from-memory',
    'src/push/push-plan.ts',
    'await published.computeFor(\n',
    'await ((all: { listing: Listing }[]) => all.map(({ listing }) => published.computeFromMemory(listing)))(\n',
  ),
  plant(
    'two-probes',
    'src/channels/breaker-records.ts',
    'AND probe_at <= ${NOW} AND probe_until <= ${NOW}`',
    'AND probe_at <= ${NOW}`',
  ),
  plant(
    'limit-not-shared',
    'src/channels/shared-limit-store.ts',
    'ORDER BY name FOR UPDATE',
    'ORDER BY name',
  ),
  {
    name: 'lease-forgotten',
    edits: [
      edit(
        'src/push/push-records.ts',
        'WHERE d.lease = $1 AND d.lease_until > clock_timestamp()',
        'WHERE $1::uuid IS NOT NULL',
      ),
      edit(
        'src/channels/call-deadline.ts',
        'if (performance.now() >= this.deadlineMs) throw new CallTooLateError();',
        '',
      ),
    ],
  },
  plant(
    'revision-reversed',
    'src/intake/orders.service.ts',
    'WHERE o.revision <= excluded.revision',
    'WHERE o.revision >= excluded.revision',
  ),
  plant(
    'released-twice',
    'src/inventory/decide-reservation.ts',
    'else part.released += units;',
    'else if (reservation.channel === undefined) part.released += units - 1;\n    else part.released += units;',
  ),
  plant(
    'marks-forgotten',
    'src/push/push-records.ts',
    'AND d.lease = $1 AND d.marks = s.marks`',
    'AND d.lease = $1`',
  ),
  plant(
    'own-sale-not-pushed',
    'src/push/push-plan.ts',
    'forced || previous !== update.quantityUnits',
    'previous !== update.quantityUnits',
  ),
  plant(
    'unanswered-push-believed',
    'src/push/push-records.ts',
    "state === 'applied' || state === 'accepted' ? push.update.quantityUnits : null",
    'push.update.quantityUnits',
  ),
  plant(
    'reserved-below-zero',
    'src/inventory/allocate.ts',
    'Math.max(0, draft.level(skuId, id).available)',
    'draft.level(skuId, id).available + 1',
  ),
  plant(
    'late-document-settled',
    'src/inventory/decide-settlement.ts',
    'reservation.revision > command.revision',
    'reservation.revision > command.revision + 9',
  ),
  plant(
    'confirmed-hold-expires',
    'src/inventory/decide-reservation.ts',
    "if (kind === 'expire') return due ? undefined : { code: 'reservation-closed', state };",
    "if (kind === 'expire') return isTerminal(state) ? { code: 'reservation-closed', state } : undefined;",
  ),
  plant(
    'settled-by-order-alone',
    'src/intake/orders.service.ts',
    'const key = `order:${channel}:${orderId}:${revision}:${digest}${attempt && `:${attempt}`}`;',
    'const key = `order:${channel}:${orderId}${attempt && `:${attempt}`}`; void digest;',
  ),
  plant(
    'poll-forgets-pages',
    'src/intake/order-polls.service.ts',
    'if (page.cursor === undefined) continue;',
    'if (page.cursor !== undefined) break;',
  ),
  {
    name: 'levels-not-locked',
    edits: [
      edit(
        'src/inventory/ledger-reader.ts',
        'ORDER BY sku_id, location_id FOR UPDATE`',
        'ORDER BY sku_id, location_id`',
      ),
      // What else would have one of two writers try again.
      edit(
        'migrations/1763700000000-inventory.sql',
        'PRIMARY KEY (sku_id, location_id, version),\n  CHECK (from_state',
        'CHECK (from_state',
      ),
    ],
  },
  plant(
    'secret-logged',
    'src/channel-api/redaction.ts',
    'return',
    'return ((text: string) => text) as never; return',
  ),
];

function plant(name: string, file: string, replace: string, by: string): Plant {
  return { name, edits: [edit(file, replace, by)] };
}

function edit(file: string, replace: string, by: string): Plant['edits'][number] {
  return { file, replace, by };
}
