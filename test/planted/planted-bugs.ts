/** A mistake that somebody could make, as one replacement in our own code, and the test that must not let it pass. */
export interface PlantedBug {
  name: string;
  /** What a user would suffer. */
  breaks: string;
  file: string;
  /** Stands in the file exactly once. */
  before: string;
  after: string;
  /** The spec, and words of the titles of the tests in it that must fail. */
  spec: string;
  test: string;
}

const LEDGER_SPEC = 'src/inventory/ledger.service.spec.ts';

/** Of the ledger: its rules, its keys, its locks. */
const LEDGER: readonly PlantedBug[] = [
  {
    name: 'reserve-below-zero',
    breaks: 'units are promised that are not there',
    file: 'src/inventory/decide.ts',
    before: 'if (present >= event.quantityUnits) return undefined;',
    after: "if (event.type === 'RESERVE' || present >= event.quantityUnits) return undefined;",
    spec: 'src/inventory/decide.spec.ts',
    test: 'RESERVE, DAMAGE and TRANSFER cannot use what is owed below zero',
  },
  {
    name: 'key-not-unique',
    breaks: 'one key is used twice by two hosts, and its command done twice',
    file: 'migrations/1763700000000-inventory.sql',
    before: 'key text PRIMARY KEY,',
    after: 'key text NOT NULL,',
    spec: 'src/inventory/ledger-rows.spec.ts',
    test: 'refuses a second use of one key',
  },
  {
    name: 'order-reserved-by-two',
    breaks: 'an order heard of by two hosts at once has two reservations',
    file: 'migrations/1763700000000-inventory.sql',
    before: 'CREATE UNIQUE INDEX reservations_order',
    after: 'CREATE INDEX reservations_order',
    spec: LEDGER_SPEC,
    test: 'all documents of an order, shuffled over two hosts',
  },
  {
    name: 'version-not-unique',
    breaks: 'two writers make the same event of a level',
    file: 'migrations/1763700000000-inventory.sql',
    before: 'PRIMARY KEY (sku_id, location_id, version),\n  CHECK (from_state',
    after: 'CHECK (from_state',
    spec: 'src/inventory/ledger-rows.spec.ts',
    test: 'refuses a second event of one version of a level',
  },
  {
    name: 'ledger-can-be-changed',
    breaks: 'history can be rewritten',
    file: 'migrations/1763700000000-inventory.sql',
    before: 'BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger',
    after: 'BEFORE TRUNCATE ON ledger',
    spec: 'src/inventory/ledger-rows.spec.ts',
    test: 'refuses UPDATE ledger',
  },
  {
    name: 'levels-not-locked',
    breaks: 'two hosts decide on the same level, and sell a unit twice or fail',
    file: 'src/inventory/ledger-reader.ts',
    before: 'ORDER BY sku_id, location_id FOR UPDATE`;',
    after: 'ORDER BY sku_id, location_id`;',
    spec: LEDGER_SPEC,
    test: '500 reservations on 5 units from two hosts',
  },
  {
    name: 'content-not-compared',
    breaks: 'a key with other content is answered as if it had been done',
    file: 'src/inventory/ledger.service.ts',
    before: 'if (!known.contentHash.equals(hash)) return new IdempotencyConflictError(command.key);',
    after: '',
    spec: LEDGER_SPEC,
    test: 'with other content is a named conflict and writes no row',
  },
  {
    name: 'duplicate-gets-a-new-row',
    breaks: 'a request that is repeated is done again',
    file: 'src/http/idempotency-key.ts',
    before: 'return `api:${key}`;',
    after: 'return `api:${key}:${randomUUID()}`;',
    spec: 'test/api/idempotency.e2e-spec.ts',
    test: 'of a reservation gives the same reservation again and no row',
  },
  {
    name: 'revision-not-compared',
    breaks: 'a late document takes an order back to what it was',
    file: 'src/inventory/decide-settlement.ts',
    before: 'reservation.revision > command.revision',
    after: 'reservation.revision > command.revision + 1_000_000',
    spec: 'src/inventory/decide-settlement.spec.ts',
    test: 'refuses a document older than the one settled',
  },
  {
    name: 'answered-before-commit',
    breaks: 'a reservation is confirmed to its caller, and gone with the host',
    file: 'src/inventory/ledger.service.ts',
    before: "await Promise.all([...sent, client.query('COMMIT')]);",
    after: "void Promise.all([...sent, client.query('COMMIT')]).catch(() => undefined);",
    spec: 'src/inventory/ledger-rows.spec.ts',
    test: 'lose nothing, double nothing, and leave nobody without an answer',
  },
  {
    name: 'hold-by-the-hosts-clock',
    breaks: 'holds end early or late on a host whose clock is wrong',
    file: 'src/inventory/ledger-reader.ts',
    before: 'stock.now = now;',
    after: 'stock.now = now && new Date();',
    spec: LEDGER_SPEC,
    test: 'lives by the database on a host whose clock says',
  },
];

/** Of what comes in. */
const INTAKE: readonly PlantedBug[] = [
  {
    name: 'webhook-answered-before-commit',
    breaks: 'a webhook that was acknowledged is lost when the host dies',
    file: 'src/intake/webhooks.controller.ts',
    before: 'const { duplicate } = await this.inbox.receive(name, verdict.topic, webhook);',
    after:
      'const duplicate = false; void this.inbox.receive(name, verdict.topic, webhook).catch(() => undefined);',
    spec: 'test/flow/webhook-answers.e2e-spec.ts',
    test: 'a webhook is not answered before it is stored',
  },
  {
    name: 'webhook-not-known-again',
    breaks: 'a webhook that is sent again is taken for another one',
    file: 'src/intake/inbox.service.ts',
    before: ".update('\\0').update(known)",
    after: ".update('\\0').update(known).update(String(Math.random()))",
    spec: 'test/flow/orders.e2e-spec.ts',
    test: 'a webhook that comes ten times at once reserves once',
  },
  {
    name: 'older-document-kept',
    breaks: 'the view of an order goes back in time',
    file: 'src/intake/orders.service.ts',
    before: 'WHERE o.revision <= excluded.revision',
    after: 'WHERE true OR o.revision <= excluded.revision',
    spec: 'test/flow/orders.e2e-spec.ts',
    test: 'the documents of an order end in one state',
  },
  {
    name: 'cancelled-units-not-pushed-again',
    breaks: 'units that an order cancelled before it was heard of stay on sale where there are none',
    file: 'src/intake/orders.service.ts',
    before: ' || lines.some(({ cancelled }) => cancelled > 0);',
    after: ';',
    spec: 'test/flow/cancelled-units.e2e-spec.ts',
    test: 'that stock never covered are not on sale',
  },
  {
    name: 'cancels-what-was-shipped',
    breaks: 'a customer is refunded for what is on its way',
    file: 'src/intake/oversell-cancel.ts',
    before: 'Math.min(Math.max(0, ...packs), wantedUnits - line.fulfilled)',
    after: 'Math.min(Math.max(0, ...packs), wantedUnits)',
    spec: 'src/intake/oversell-cancel.spec.ts',
    test: 'is never what was cancelled or shipped already',
  },
];

/** Of what goes out. */
const PUSH: readonly PlantedBug[] = [
  {
    name: 'change-during-push-forgotten',
    breaks: 'stock that changes while a channel answers is never told',
    file: 'src/push/push-records.ts',
    before: 'AND d.listing_id = s.id AND d.lease = $1 AND d.marks = s.marks`;',
    after: 'AND d.listing_id = s.id AND d.lease = $1`;',
    spec: 'test/flow/push.e2e-spec.ts',
    test: 'changes while a slow shop answers are one push after it',
  },
  {
    name: 'lease-not-checked',
    breaks: 'a worker that slept pushes an old number over a newer one',
    file: 'src/push/push-records.ts',
    before: 'WHERE d.lease = $1 AND d.lease_until > clock_timestamp()',
    after: 'WHERE (true OR d.lease = $1::uuid)',
    spec: 'src/push/push-records.spec.ts',
    test: 'under a lease that has ended',
  },
  {
    name: 'deadline-lifted-by-the-next',
    breaks: 'rows of a push that was given up are sent under the next one’s deadline, over newer numbers',
    file: 'src/channels/call-deadline.ts',
    before: 'if (this.busy) return Promise.reject(new CallTooLateError());',
    after: '',
    spec: 'src/channels/call-deadline.spec.ts',
    test: 'stays bound by it beside a later one',
  },
  {
    name: 'lost-answer-believed',
    breaks: 'what a channel may have taken without an answer is never put right',
    file: 'src/push/push-records.ts',
    before: "state === 'applied' || state === 'accepted' ? push.update.quantityUnits : null,",
    after: 'push.previous,',
    spec: 'test/flow/push.e2e-spec.ts',
    test: 'a quantity that was applied without an answer is put right',
  },
  {
    name: 'rounds-up',
    breaks: 'half a pack is put on sale',
    file: 'src/buffers/waterfall.ts',
    before: 'listings: Math.floor(sellable / unitsPerListing),',
    after: 'listings: Math.ceil(sellable / unitsPerListing),',
    spec: 'src/buffers/waterfall.spec.ts',
    test: 'units in packs of',
  },
  {
    name: 'stale-answer-taken-for-done',
    breaks: 'a sale that Shopify has told nobody of yet is written over',
    file: 'plugins/shopify/shopify.push.ts',
    before:
      "else results.push({ pushId: row.update.pushId, outcome: 'stale', shownUnits: Math.max(shown, 0) });",
    after: 'else results.push(applied(row));',
    spec: 'plugins/shopify/shopify.requests.spec.ts',
    test: 'that believed wrongly is stale with what is shown',
  },
  {
    name: 'in-flight-corrected',
    breaks: 'reconciliation pushes over what is on its way',
    file: 'src/reconcile/judge.ts',
    before: "if (isInFlight(facts, shown)) return 'in-flight';",
    after: '',
    spec: 'src/reconcile/judge.spec.ts',
    test: 'a listing that is accepted a while ago is judged so',
  },
];

/** Of limits, breakers and jobs. */
const CALM: readonly PlantedBug[] = [
  {
    name: 'permit-given-back-twice',
    breaks: 'a channel sees more calls than it allows',
    file: 'src/channel-api/limit-state.ts',
    before: 'if (isBucket(limit)) state.tokens += units;\n}',
    after: 'if (isBucket(limit)) state.tokens += 2 * units;\n}',
    spec: 'src/channel-api/limit-state.spec.ts',
    test: 'has units that were taken and not used once more',
  },
  {
    name: 'limit-not-shared',
    breaks: 'two hosts each use the whole limit',
    file: 'src/channels/shared-limit-store.ts',
    before: 'ORDER BY name FOR UPDATE',
    after: 'ORDER BY name',
    spec: 'src/channels/limits.service.spec.ts',
    test: 'two hosts that begin at once share one bucket',
  },
  {
    name: 'two-probes',
    breaks: 'a channel that recovers is met by every host at once',
    file: 'src/channels/breaker-records.ts',
    before: 'AND NOT held AND probe_at <= ${NOW} AND probe_until <= ${NOW}`,',
    after: 'AND NOT held AND probe_at <= ${NOW}`,',
    spec: 'test/flow/breaker.e2e-spec.ts',
    test: 'that is half-open has one probe at a time',
  },
  {
    name: 'probe-lets-others-through',
    breaks: 'while one call tries a channel, all others do',
    file: 'src/channels/channel-breaker.ts',
    before: 'throw this.refusal(call);',
    after: 'return () => undefined;',
    spec: 'src/channels/channel-breaker.spec.ts',
    test: 'passes the open breaker, and nothing beside it does',
  },
  {
    name: 'wake-during-a-run-lost',
    breaks: 'what comes while a job runs waits for the next sweep',
    file: 'src/jobs/jobs.service.ts',
    before: 'current.again = true;',
    after: '',
    spec: 'src/jobs/jobs.service.spec.ts',
    test: 'many wakes during a run are one more run after it',
  },
];

/** Of who may do what, and who hears of it. */
const SECURITY: readonly PlantedBug[] = [
  {
    name: 'cookie-for-scripts',
    breaks: 'a script in the page can take the session',
    file: 'src/access/session-cookie.ts',
    before: 'httpOnly: true',
    after: 'httpOnly: false',
    spec: 'test/api/session.e2e-spec.ts',
    test: 'an API key becomes a cookie that no script reads',
  },
  {
    name: 'scope-skipped',
    breaks: 'whoever may read stock may rebuild the levels',
    file: 'src/reconcile/ledger-checks.controller.ts',
    before: "@Needs('admin')",
    after: "@Needs('stock:read')",
    spec: 'test/api/access.e2e-spec.ts',
    test: 'POST /v1/ledger/rebuild opens to',
  },
  {
    name: 'signature-not-checked',
    breaks: 'anybody can make up orders',
    file: 'plugins/generic-rest/generic-rest.webhook.ts',
    before: 'if (!matches.includes(true)) return refused(',
    after: 'if (matches.length === 0) return refused(',
    spec: 'test/flow/orders.e2e-spec.ts',
    test: 'a webhook that its secret did not sign answers 401',
  },
  {
    name: 'signature-compared-by-text',
    breaks: 'the time that a refusal takes tells how much of a signature was right',
    file: 'plugins/generic-rest/generic-rest.webhook.ts',
    before: 'timingSafeEqual(given, createHmac(options.algorithm, secret).update(request.body).digest()),',
    after:
      "given.toString('hex') === createHmac(options.algorithm, secret).update(request.body).digest('hex'),",
    spec: 'plugins/generic-rest/generic-rest.webhook.spec.ts',
    test: 'signatures are compared in constant time',
  },
  {
    name: 'secret-not-redacted',
    breaks: 'a secret that a channel echoes in Base64 is logged',
    file: 'src/channel-api/redaction.ts',
    before: "wellFormed.toString('base64'),",
    after: '',
    spec: 'src/channel-api/fetch-http.spec.ts',
    test: 'a secret is found in every form it takes',
  },
  {
    name: 'private-addresses-allowed',
    breaks: 'a plugin can be led into the network behind the host',
    file: 'src/channels/address-guard.ts',
    before: "'192.168.0.0/16', ",
    after: '',
    spec: 'src/channels/address-guard.spec.ts',
    test: 'of IPv4 is refused exactly when it is not public',
  },
  {
    name: 'looked-up-again',
    breaks: 'a name that changes its address between check and connection leads inside',
    file: 'src/channels/guarded-fetch.ts',
    before: 'lookup: (_hostname, _options, answer) => answer(null, addresses),',
    after: '',
    spec: 'src/channels/guarded-fetch.spec.ts',
    test: 'what was judged is what is connected to',
  },
  {
    name: 'prototype-field-taken',
    breaks: 'a body reaches into the prototype of every object',
    file: 'src/http/plain-json.ts',
    before: 'if (FORBIDDEN_KEYS.has(key) || ',
    after: 'if (',
    spec: 'src/http/plain-json.spec.ts',
    test: '__proto__',
  },
];

/** Of what plugins make of their vendors' words. */
const PLUGINS: readonly PlantedBug[] = [
  {
    name: 'cancelled-units-lost',
    breaks: 'what is cancelled on Amazon stays reserved for ever',
    file: 'plugins/amazon-sp-api/amazon-sp-api.translate.ts',
    before: 'cancelled: Math.max(ordered - fulfilled - open, 0),',
    after: 'cancelled: 0,',
    spec: 'plugins/amazon-sp-api/amazon-sp-api.translate.spec.ts',
    test: 'an order shipped in part, the rest cancelled',
  },
  {
    name: 'challenge-in-another-order',
    breaks: 'eBay does not accept the address for its notifications',
    file: 'plugins/ebay/ebay.webhook.ts',
    before: '.update(code).update(verificationToken)',
    after: '.update(verificationToken).update(code)',
    spec: 'plugins/ebay/ebay.webhook.spec.ts',
    test: 'is answered with the hash of code, token and endpoint',
  },
];

export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...LEDGER,
  ...INTAKE,
  ...PUSH,
  ...CALM,
  ...SECURITY,
  ...PLUGINS,
];
