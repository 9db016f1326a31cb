import { type Command, InvalidArgumentError, Option } from 'commander';
import { hostOf, type JsonFlags, JsonOption, parseTime, parseUnits, withHostOptions } from './options';
import { action, tell } from './output';
import { table } from './table';
import { POSTABLE_TYPES } from '../inventory/commands';

type Counts = Record<
  'physical' | 'available' | 'reserved' | 'quarantined' | 'damaged' | 'inTransit' | 'onOrder' | 'version',
  number
>;

interface Stock {
  sku: string;
  total: Counts;
  locations: (Counts & { location: string })[];
}

interface LedgerEvent {
  seq: number;
  type: string;
  location: string;
  from: string | null;
  to: string | null;
  quantity: number;
  after: Counts;
  channel: string | null;
  orderId: string | null;
  reference: string | null;
  reason: string | null;
  actor: string;
  occurredAt: string;
}

interface PostedEvent {
  type: string;
  sku: string;
  quantity: number;
  duplicate: boolean;
  levels: { location: string; version: number; available: number }[];
}

interface Posting extends JsonFlags {
  idempotencyKey?: string;
  occurredAt?: string;
}

interface Reservation {
  id: string;
  reference: string | null;
  state: string;
  expiresAt: string | null;
  lines: {
    sku: string;
    location: string | null;
    quantity: number;
    reserved: number;
    fulfilled: number;
    released: number;
  }[];
}

const COUNTS = '{physical, available, reserved, quarantined, damaged, inTransit, onOrder, version}';
const RESERVATION =
  '{id, reference, state, expiresAt, lines: [{line, sku, location, quantity, reserved, fulfilled, released, …}]}';
const KEY_HELP = 'sent again with the same key, it is done once and answered the same';

export function addStockCommands(program: Command): void {
  withHostOptions(program.command('stock [sku]'))
    .description('show the levels of a SKU, or of all: now, as they were, or as we knew them')
    .option('--as-of <time>', 'what was true then, whenever we heard of it', parseTime)
    .option('--known-at <time>', 'what we knew then', parseTime)
    .option('--search <text>', 'without a SKU: those with this in their code, name or barcode')
    .addOption(
      new JsonOption(
        `{sku, total: ${COUNTS}, locations: [{location, …the same}]}; a list of it without a SKU`,
      ),
    )
    .action(action(showStock));

  addEventCommands(program);
  addReserveCommands(program);
}

async function showStock(
  sku: string | undefined,
  { asOf, knownAt, search, ...flags }: JsonFlags & { asOf?: string; knownAt?: string; search?: string },
): Promise<void> {
  const query = new URLSearchParams({
    ...(asOf && { asOf }),
    ...(knownAt && { knownAt }),
    ...(sku === undefined && search && { search }),
  }).toString();
  const host = hostOf(flags);
  if (sku !== undefined) {
    const stock = await host.get<Stock>(`/v1/stock/${encodeURIComponent(sku)}${query && `?${query}`}`);
    tell(flags, stock, () => stockText([stock]));
    return;
  }
  const found: Stock[] = [];
  for await (const stock of host.items<Stock>(`/v1/stock${query && `?${query}`}`)) found.push(stock);
  tell(flags, found, () => (found.length === 0 ? 'No SKUs.' : stockText(found)));
}

function addEventCommands(program: Command): void {
  const events = program.command('events').description('look at the ledger, and post to it');

  withHostOptions(events.command('list <sku>'))
    .description('list the ledger events of a SKU, newest first')
    .option('--limit <n>', 'so many at most', parseUnits, 50)
    .addOption(
      new JsonOption(
        '[{seq, type, sku, location, from, to, quantity, after, channel, orderId, reservationId, reason, actor, occurredAt, recordedAt, …}]',
      ),
    )
    .action(
      action(async (sku: string, { limit, ...flags }: JsonFlags & { limit: number }) => {
        const found: LedgerEvent[] = [];
        const path = `/v1/stock/${encodeURIComponent(sku)}/events`;
        for await (const event of hostOf(flags).items<LedgerEvent>(path, Math.min(Math.max(limit, 1), 500))) {
          if (found.length >= limit) break;
          found.push(event);
        }
        tell(flags, found, () => (found.length === 0 ? 'No events.' : eventsText(found)));
      }),
    );

  withHostOptions(events.command('post'))
    .argument('<type>', POSTABLE_TYPES.join(', '), parseType)
    .argument('<sku>')
    .argument('<quantity>', 'units; for ADJUST the signed difference', parseDifference)
    .description('post a stock event')
    .option('--location <code>', 'where; default the first location in priority order')
    .option('--to-location <code>', 'TRANSFER: where the units go')
    .option('--from <state>', 'RESTOCK: on_order takes them from a purchase order')
    .option('--to <state>', 'RETURN: quarantined or available; INSPECT: available or damaged')
    .option('--state <state>', 'ADJUST: the state that was counted')
    .option('--reason <text>', 'needed for ADJUST')
    .option('--reference <text>', 'your own number for it')
    .option('--occurred-at <time>', 'when it happened; default now', parseTime)
    .option('--idempotency-key <key>', KEY_HELP)
    .addOption(
      new JsonOption(
        '{type, sku, quantity, recordedAt, duplicate, levels: [{location, version, available}]}',
      ),
    )
    .addHelpText(
      'after',
      '\nA negative quantity stands after two dashes: onhand events post --reason breakage -- ADJUST MUG -2',
    )
    .action(action(postEvent));
}

async function postEvent(
  type: string,
  sku: string,
  quantity: number,
  { url, apiKey, json, idempotencyKey: key, ...event }: Posting,
): Promise<void> {
  const posted = await hostOf({ url, apiKey }).post<PostedEvent>(
    '/v1/events',
    { type, sku, quantity, ...event },
    { key },
  );
  tell({ json }, posted, () => {
    const levels = posted.levels.map(({ location, available }) => `${available} available at ${location}`);
    const again = posted.duplicate ? ' (known already)' : '';
    return `${type} ${quantity} of ${posted.sku}${again}: ${levels.join(', ')}.`;
  });
}

function addReserveCommands(program: Command): void {
  withHostOptions(program.command('reserve'))
    .argument('<line...>', 'SKU=quantity, such as MUG-RED=2', parseLine)
    .description('reserve units: every line or none')
    .option('--partial', 'reserve what there is')
    .option('--ttl <seconds>', 'a hold: given back after so many seconds unless confirmed', parseUnits)
    .option('--location <code>', 'take them here only')
    .option('--reference <text>', 'your own number for it')
    .option('--idempotency-key <key>', KEY_HELP)
    .addOption(new JsonOption(RESERVATION))
    .action(action(reserve));

  const reservations = program.command('reservations').description('look at reservations, and end them');
  withHostOptions(reservations.command('show <id>'))
    .description('show a reservation as it stands')
    .addOption(new JsonOption(RESERVATION))
    .action(
      action(async (id: string, flags: JsonFlags) => {
        const found = await hostOf(flags).get<Reservation>(`/v1/reservations/${encodeURIComponent(id)}`);
        tell(flags, found, () => reservationText(found));
      }),
    );
  for (const [verb, what] of [
    ['confirm', 'keep a hold: it no longer expires'],
    ['release', 'give back all open units'],
    ['fulfil', 'ship all open units'],
  ] as const) {
    withHostOptions(reservations.command(`${verb} <id>`))
      .description(what)
      .addOption(new Option('--idempotency-key <key>', KEY_HELP))
      .addOption(new JsonOption(RESERVATION))
      .action(
        action(async (id: string, { idempotencyKey: key, ...flags }: Posting) => {
          const path = `/v1/reservations/${encodeURIComponent(id)}/${verb}`;
          const changed = await hostOf(flags).post<Reservation>(path, {}, { key });
          tell(flags, changed, () => reservationText(changed));
        }),
      );
  }
}

interface Line {
  sku: string;
  quantity: number;
}

async function reserve(
  lines: Line[],
  { url, apiKey, json, idempotencyKey: key, ttl, location, ...rest }: ReserveFlags,
): Promise<void> {
  const body = { ...rest, ttlSeconds: ttl, lines: lines.map((line) => ({ ...line, location })) };
  const made = await hostOf({ url, apiKey }).post<Reservation>('/v1/reservations', body, { key });
  tell({ json }, made, () => reservationText(made));
}

interface ReserveFlags extends Posting {
  partial?: boolean;
  ttl?: number;
  location?: string;
  reference?: string;
}

function stockText(stocks: readonly Stock[]): string {
  const rows = stocks.flatMap(({ sku, total, locations }) => [
    ...locations.map((level) => ({ ...level, sku })),
    ...(locations.length === 1 ? [] : [{ ...total, sku, location: 'total' }]),
  ]);
  return table(rows, {
    sku: ({ sku }) => sku,
    location: ({ location }) => location,
    physical: ({ physical }) => physical,
    available: ({ available }) => available,
    reserved: ({ reserved }) => reserved,
    quarantined: ({ quarantined }) => quarantined,
    damaged: ({ damaged }) => damaged,
    'in transit': ({ inTransit }) => inTransit,
    'on order': ({ onOrder }) => onOrder,
  });
}

function eventsText(events: readonly LedgerEvent[]): string {
  return table(events, {
    seq: ({ seq }) => seq,
    occurred: ({ occurredAt }) => occurredAt,
    type: ({ type }) => type,
    units: ({ quantity }) => quantity,
    location: ({ location }) => location,
    'available after': ({ after }) => after.available,
    for: ({ channel, orderId, reference, reason }) =>
      [channel && `${channel} order ${orderId}`, reference, reason].filter(Boolean).join('; '),
    by: ({ actor }) => actor,
  });
}

function reservationText({ id, reference, state, expiresAt, lines }: Reservation): string {
  const until = expiresAt === null ? '' : ` until ${expiresAt}`;
  const of = reference === null ? '' : ` for ${reference}`;
  const rows = table(lines, {
    sku: ({ sku }) => sku,
    location: ({ location }) => location,
    asked: ({ quantity }) => quantity,
    reserved: ({ reserved }) => reserved,
    fulfilled: ({ fulfilled }) => fulfilled,
    released: ({ released }) => released,
  });
  return `Reservation ${id}${of} is ${state}${until}.\n\n${rows}`;
}

/** Commander hands over what came before, as the argument may be given several times. */
function parseLine(text: string, before: Line[] = []): Line[] {
  const [, sku, quantity] = /^(.+)=(\d{1,9})$/.exec(text) ?? [];
  if (sku === undefined || Number(quantity) < 1)
    throw new InvalidArgumentError('Expected SKU=quantity, such as MUG-RED=2.');
  return [...before, { sku, quantity: Number(quantity) }];
}

function parseType(text: string): string {
  const type = text.toUpperCase();
  if ((POSTABLE_TYPES as readonly string[]).includes(type)) return type;
  throw new InvalidArgumentError(
    `Expected one of ${POSTABLE_TYPES.join(', ')}; for RESERVE use \`onhand reserve\`.`,
  );
}

function parseDifference(text: string): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number of units.');
}
