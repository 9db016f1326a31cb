/** What a request asked and was answered, as far as an entry may tell of it. */
export interface Asked {
  params: Readonly<Record<string, string>>;
  body: Readonly<Record<string, unknown>>;
  answer: Readonly<Record<string, unknown>>;
}

/** How a route's requests are written down. */
export interface RecordedAction {
  /** noun.verb */
  action: string | ((asked: Asked) => string);
  /** What it was done to; the route's last parameter where it does not say. */
  subject?: (asked: Asked) => unknown;
  /**
   * Fields of the body, and after them of the answer, that an entry may show: checked by the route, no secrets, nothing
   * about buyers.
   */
  body?: readonly string[];
  answer?: readonly string[];
}

const REASON = ['reason'];
const PARKED = ['channel', 'topic', 'code', 'channelSku', 'listings', 'reason'];

/**
 * Every route under /v1 that changes something and whose changes people make. Reservations and stock events are the
 * ledger's own history; of these only what a person posts at the console is written down, see `recordedAction`.
 */
const RECORDED: Readonly<Record<string, RecordedAction>> = {
  'POST /v1/session': { action: 'session.create', subject: () => null },
  'DELETE /v1/session': { action: 'session.end' },
  'POST /v1/keys': { action: 'key.create', subject: ({ answer }) => answer.id, body: ['name', 'scopes'] },
  'DELETE /v1/keys/:id': { action: 'key.revoke' },
  'POST /v1/secrets/rotate': { action: 'secret.rotate', subject: () => null, answer: ['key', 'resealed'] },
  'POST /v1/tasks/:id/cancel': { action: 'task.cancel', answer: ['kind', 'subject'] },
  'POST /v1/schedule/:name/run': { action: 'schedule.run' },

  'POST /v1/channels/:channel/breaker': { action: 'breaker.hold', body: ['state', 'reason'] },
  'PUT /v1/channels/:channel/pause': { action: 'channel.pause', body: REASON },
  'DELETE /v1/channels/:channel/pause': { action: 'channel.resume' },
  'POST /v1/channels/:channel/reconcile': { action: 'channel.reconcile', body: ['channelSkus'] },
  'POST /v1/channels/:channel/authorization': { action: 'channel.authorize', answer: ['endsAt'] },
  'POST /v1/channels/:channel/drifts/accept': { action: 'drift.accept', body: ['channelSkus', 'reason'] },
  'POST /v1/channels/:channel/drifts/correct': { action: 'drift.correct', body: ['channelSkus'] },
  'POST /v1/channels/:channel/orders/reconcile': { action: 'order.reconcile', body: ['since', 'repair'] },

  'POST /v1/channels/:channel/listings/import': { action: 'listing.import', answer: ['counts'] },
  'PUT /v1/channels/:channel/listings/:channelSku': {
    action: 'listing.set',
    body: ['components', 'cap', 'bufferUnits', 'bufferPercent'],
  },
  'DELETE /v1/channels/:channel/listings/:channelSku': { action: 'listing.remove' },
  'POST /v1/channels/:channel/unmapped/ignore': { action: 'unmapped.ignore', body: ['channelSkus'] },
  'POST /v1/channels/:channel/unmapped/unignore': { action: 'unmapped.unignore', body: ['channelSkus'] },
  'POST /v1/channels/:channel/suggestions': { action: 'suggestion.find' },
  'POST /v1/channels/:channel/suggestions/confirm': { action: 'suggestion.confirm', body: ['ids'] },
  'POST /v1/channels/:channel/suggestions/dismiss': { action: 'suggestion.dismiss', body: ['ids'] },

  'POST /v1/skus': { action: 'sku.create', subject: ({ body }) => body.sku },
  'PATCH /v1/skus/:sku': {
    action: ({ body }) => (body.sku === undefined ? 'sku.set' : 'sku.rename'),
    body: ['sku', 'reorderPoint'],
  },
  'POST /v1/locations': {
    action: 'location.create',
    subject: ({ body }) => body.code,
    body: ['name', 'priority'],
  },

  'POST /v1/buffers/policies': {
    action: 'policy.set',
    subject: ({ body }) => namesIn(body.policies),
    body: ['policies'],
  },
  'DELETE /v1/buffers/policies/:name': { action: 'policy.remove' },
  'POST /v1/buffers/holds': {
    action: 'hold.place',
    subject: ({ answer }) => answer.id,
    body: ['sku', 'location', 'units', 'percent', 'reason', 'until'],
  },
  'DELETE /v1/buffers/holds/:id': { action: 'hold.end' },
  'POST /v1/buffers/recalculate': { action: 'buffer.recalculate', body: ['full'], answer: ['changed'] },

  'POST /v1/parked/pushes/retry': { action: 'parked-push.retry', body: PARKED, answer: ['changed'] },
  'POST /v1/parked/pushes/dismiss': { action: 'parked-push.dismiss', body: PARKED, answer: ['changed'] },
  'POST /v1/parked/webhooks/retry': { action: 'parked-webhook.retry', body: PARKED, answer: ['changed'] },
  'POST /v1/parked/webhooks/dismiss': { action: 'parked-webhook.dismiss', body: PARKED, answer: ['changed'] },
  'POST /v1/parked/webhooks/:id/retry': { action: 'parked-webhook.retry', body: REASON },
  'POST /v1/parked/webhooks/:id/dismiss': { action: 'parked-webhook.dismiss', body: REASON },
  'POST /v1/parked/orders/retry': { action: 'parked-order.retry', body: PARKED, answer: ['changed'] },
  'POST /v1/parked/orders/dismiss': { action: 'parked-order.dismiss', body: PARKED, answer: ['changed'] },
  'POST /v1/parked/orders/:id/retry': { action: 'parked-order.retry', body: REASON },
  'POST /v1/parked/orders/:id/dismiss': { action: 'parked-order.dismiss', body: REASON },
  'POST /v1/parked/lines/dismiss': { action: 'parked-line.dismiss', body: PARKED, answer: ['changed'] },
  'POST /v1/parked/lines/:id/dismiss': { action: 'parked-line.dismiss', body: REASON },

  // The message is for the buyer, and may name the buyer.
  'POST /v1/oversells/:id/cancel': { action: 'oversell.cancel', body: REASON, answer: ['orderId'] },
  'POST /v1/oversells/:id/backorder': { action: 'oversell.backorder', body: REASON, answer: ['orderId'] },
  'POST /v1/oversells/:id/hold': { action: 'oversell.hold', body: REASON, answer: ['orderId'] },
  'POST /v1/oversells/:id/close': { action: 'oversell.close', body: REASON, answer: ['orderId'] },
  'POST /v1/oversells/:id/retry': { action: 'oversell.retry', answer: ['orderId'] },

  'POST /v1/counts': {
    action: 'count.receive',
    subject: ({ answer }) => (answer.kind === 'count' ? answer.subject : answer.id),
    answer: ['source', 'lines'],
  },
  'POST /v1/counts/:id/approve': { action: 'count.approve', body: ['lines'] },
  'POST /v1/counts/:id/reject': { action: 'count.reject', body: ['lines'] },
  'POST /v1/ledger/verify': { action: 'ledger.verify' },
  'POST /v1/ledger/rebuild': { action: 'ledger.rebuild' },

  'POST /v1/alerts/:id/acknowledge': { action: 'alert.acknowledge', answer: ['rule', 'subject'] },
  'POST /v1/alerts/:id/resolve': { action: 'alert.resolve', answer: ['rule', 'subject'] },
  'POST /v1/receivers/:name/test': { action: 'receiver.test', answer: ['delivered'] },
  'POST /v1/deliveries/retry': { action: 'delivery.retry', body: ['receiver'], answer: ['retried'] },
  'POST /v1/deliveries/:id/retry': { action: 'delivery.retry' },
};

function namesIn(policies: unknown): string | undefined {
  if (!Array.isArray(policies)) return undefined;
  return policies.map((each: { name?: unknown } | null) => String(each?.name)).join(', ');
}

/** What a person posts at the console. */
const STOCK: RecordedAction = {
  action: ({ body }) => (typeof body.type === 'string' ? `stock.${body.type.toLowerCase()}` : 'stock.post'),
  subject: ({ body }) => body.sku,
  body: ['type', 'quantity', 'location', 'toLocation', 'from', 'to', 'state', 'reason'],
};

/** What machines send, whose history is the ledger; and a question that is posted because it is long. */
const MACHINES: Readonly<Record<string, RecordedAction>> = {
  'POST /v1/events': STOCK,
  'POST /v1/reservations': { action: 'reservation.create' },
  'POST /v1/reservations/:id/confirm': { action: 'reservation.confirm' },
  'POST /v1/reservations/:id/release': { action: 'reservation.release' },
  'POST /v1/reservations/:id/fulfil': { action: 'reservation.fulfil' },
  'POST /v1/buffers/backtest': { action: 'policy.try' },
};

/** Whether the route's requests are known to be written down, or known not to be. */
export function isKnownRoute(route: string): boolean {
  return Object.hasOwn(RECORDED, route) || Object.hasOwn(MACHINES, route);
}

/**
 * How a request to `route`, as `POST /v1/keys`, is written down; undefined where it is not. Of what machines send that is
 * only who lacked the scope for it, and what a person posted. A route that nobody has listed is written down by its name.
 */
export function recordedAction(
  route: string,
  by: { isPerson: boolean; status: number },
): RecordedAction | undefined {
  if (Object.hasOwn(MACHINES, route)) {
    const isTold = by.status === 403 || (by.isPerson && route === 'POST /v1/events');
    return isTold ? MACHINES[route] : undefined;
  }
  return RECORDED[route] ?? { action: 'api.call', subject: () => route };
}
