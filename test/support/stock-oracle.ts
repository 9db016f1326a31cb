/**
 * What stock should be, written a second time and as naively as possible: promised units are counted one
 * by one, and `reserved` is not stored at all but is however many promised units are still open.
 * Shares nothing with `src` but the words of its commands.
 */
import type {
  LedgerCommand,
  MoveCommand,
  ReserveCommand,
  SettleOrderCommand,
} from '../../src/inventory/commands';
import type { Refusal } from '../../src/inventory/refusal';

export const PLACES = ['available', 'quarantined', 'damaged', 'in_transit', 'on_order'] as const;
export type Place = (typeof PLACES)[number];

/** One unit that was promised to somebody, and what became of it. */
interface PromisedUnit {
  sku: number;
  loc: number;
  line: string;
  fate: 'open' | 'shipped' | 'given back';
  returned: boolean;
}

interface Book {
  id: string;
  state: 'held' | 'confirmed' | 'fulfilled' | 'released' | 'expired';
  dueAtMs?: number;
  revision?: number;
  units: PromisedUnit[];
  /** Of an order, per line: the locations it was ever tried at, first one first. */
  triedAt: Map<string, number[]>;
}

export interface OracleAnswer {
  refused?: Refusal;
  /** Units that moved, by verb; for orders also what is short. */
  moved?: Record<'reserved' | 'released' | 'fulfilled' | 'returned' | 'shortfall', number>;
  book?: Book;
}

const FIXED_MOVES: Record<string, { from: Place | 'nowhere'; to: Place }> = {
  RESTOCK: { from: 'nowhere', to: 'available' },
  RETURN: { from: 'nowhere', to: 'quarantined' },
  INSPECT: { from: 'quarantined', to: 'available' },
  DAMAGE: { from: 'available', to: 'damaged' },
  RECEIVE: { from: 'in_transit', to: 'available' },
  EXPECT: { from: 'nowhere', to: 'on_order' },
};

export class StockOracle {
  nowMs = 0;
  /** Units in the building by an account of its own: what came in less what went out. */
  readonly onShelves = new Map<string, number>();
  readonly books = new Map<string, Book>();
  /** Open shortfalls by count (`sku@loc`) and by order line (`channel/order/line/sku`). */
  readonly shortfalls = new Map<string, number>();
  private readonly counters = new Map<string, Record<Place, number>>();

  constructor(private readonly locationsInPriority: readonly number[]) {}

  apply(command: LedgerCommand): OracleAnswer {
    const answer = this.done(command);
    for (const [key, { available }] of this.counters) {
      if (available < 0) this.shortfalls.set(key, -available);
      else this.shortfalls.delete(key);
    }
    return answer;
  }

  count(sku: number, loc: number, place: Place): number {
    return this.counters.get(`${sku}@${loc}`)?.[place] ?? 0;
  }

  reserved(sku: number, loc: number): number {
    return this.unitsOf(sku, loc).filter((unit) => unit.fate === 'open').length;
  }

  private done(command: LedgerCommand): OracleAnswer {
    if (command.kind === 'move') return { refused: this.move(command) };
    if (command.kind === 'reserve') return this.reserve(command);
    if (command.kind === 'settle-order') return this.settle(command);
    const book = this.books.get(command.reservationId);
    if (!book) return { refused: { code: 'reservation-not-found' } };
    const isDue = book.state === 'held' && book.dueAtMs! <= this.nowMs;
    const isOver = ['fulfilled', 'released', 'expired'].includes(book.state);
    const closed: OracleAnswer = { refused: { code: 'reservation-closed', state: book.state } };
    if (command.kind === 'expire') {
      if (!isDue) return closed;
      this.end(book.units, 'given back');
      book.state = 'expired';
      return { book };
    }
    if (book.state === 'expired' || (command.kind === 'confirm' && isDue))
      return { refused: { code: 'reservation-expired' } };
    if (isOver) return closed;
    if (command.kind === 'confirm') {
      book.state = 'confirmed';
      return { book };
    }
    if (command.kind === 'fulfil' && book.state === 'held') return { refused: { code: 'reservation-held' } };
    return this.endSome(book, command.lines, command.kind === 'fulfil' ? 'shipped' : 'given back');
  }

  private move(command: MoveCommand): Refusal | undefined {
    const { type, skuId: sku, locationId: loc, quantityUnits: units, toLocationId } = command;
    if (type === 'ADJUST') return this.adjust(sku, loc, (command.state ?? 'available') as Place, units);
    if (type === 'TRANSFER') {
      const missing = this.take(sku, loc, 'available', units);
      if (!missing) this.put(sku, toLocationId!, 'in_transit', units);
      return missing;
    }
    const fixed = FIXED_MOVES[type]!;
    const from = (command.from ?? fixed.from) as Place | 'nowhere' | 'outside';
    const missing = from === 'nowhere' || from === 'outside' ? undefined : this.take(sku, loc, from, units);
    if (!missing) this.put(sku, loc, (command.to ?? fixed.to) as Place, units);
    return missing;
  }

  /** A count may find less than is promised, but not fewer units than none. */
  private adjust(sku: number, loc: number, place: Place, difference: number): Refusal | undefined {
    const promised = place === 'available' ? this.reserved(sku, loc) : 0;
    const present = this.count(sku, loc, place) + promised;
    if (present + difference < 0)
      return { code: 'insufficient-state', state: place, needed: -difference, present };
    this.put(sku, loc, place, difference);
    return undefined;
  }

  private reserve(command: ReserveCommand): OracleAnswer {
    const units: PromisedUnit[] = [];
    const short: {
      line: number;
      skuId: number;
      locationId?: number;
      requested: number;
      available: number;
    }[] = [];
    command.lines.forEach(({ skuId, quantityUnits: requested, locationId }, line) => {
      const { picked, available } = this.pick(skuId, requested, locationId, units);
      picked.forEach((loc) =>
        units.push({ sku: skuId, loc, line: `${line}`, fate: 'open', returned: false }),
      );
      if (picked.length < requested) short.push({ line, skuId, locationId, requested, available });
    });
    if (short.length > 0 && !(command.partial && units.length > 0))
      return { refused: { code: 'insufficient-stock', lines: short } };
    const book: Book = {
      id: command.reservationId,
      state: command.ttlSeconds ? 'held' : 'confirmed',
      dueAtMs: command.ttlSeconds ? this.nowMs + command.ttlSeconds * 1000 : undefined,
      units,
      triedAt: new Map(),
    };
    this.books.set(book.id, book);
    units.forEach(({ sku, loc }) => this.counter(sku, loc).available--);
    return { book };
  }

  /** The location of each unit that can be had: all from one place if any has them all, else place by place. */
  private pick(
    sku: number,
    wanted: number,
    only: number | undefined,
    spoken: readonly PromisedUnit[] = [],
  ): { picked: number[]; available: number } {
    const places = only === undefined ? this.locationsInPriority : [only];
    const freeAt = (loc: number) =>
      Math.max(
        0,
        this.count(sku, loc, 'available') - spoken.filter((u) => u.sku === sku && u.loc === loc).length,
      );
    const free = places.flatMap((loc) => Array<number>(freeAt(loc)).fill(loc));
    const single = places.find((loc) => freeAt(loc) >= wanted);
    const pool = single === undefined ? free : free.filter((loc) => loc === single);
    return { picked: pool.slice(0, wanted), available: free.length };
  }

  private endSome(
    book: Book,
    lines: { skuId: number; quantityUnits: number; locationId?: number }[] | undefined,
    fate: 'shipped' | 'given back',
  ): OracleAnswer {
    const chosen = new Set<PromisedUnit>();
    const exceeding: { skuId: number; locationId?: number; requested: number; open: number }[] = [];
    const open = book.units.filter((unit) => unit.fate === 'open');
    for (const { skuId, locationId, quantityUnits: requested } of lines ?? []) {
      const fits = (u: PromisedUnit) => u.sku === skuId && (locationId ?? u.loc) === u.loc && !chosen.has(u);
      const found = open.filter(fits).slice(0, requested);
      found.forEach((unit) => chosen.add(unit));
      if (found.length < requested) exceeding.push({ skuId, locationId, requested, open: found.length });
    }
    if (exceeding.length > 0) return { refused: { code: 'exceeds-reservation', lines: exceeding } };
    this.end(lines ? [...chosen] : open, fate);
    this.closeIfDone(book);
    return { book };
  }

  private closeIfDone(book: Book): void {
    if (book.units.some((unit) => unit.fate === 'open')) return;
    book.state = book.units.some((unit) => unit.fate === 'shipped') ? 'fulfilled' : 'released';
  }

  private end(units: readonly PromisedUnit[], fate: 'shipped' | 'given back'): void {
    for (const unit of units) {
      if (unit.fate !== 'open') continue;
      unit.fate = fate;
      if (fate === 'given back') this.counter(unit.sku, unit.loc).available++;
      else this.shelve(unit.sku, unit.loc, -1);
    }
  }

  private settle(command: SettleOrderCommand): OracleAnswer {
    const name = `${command.channel}/${command.orderId}`;
    const book = [...this.books.values()].find((each) => each.id.startsWith(`${name}#`)) ?? emptyBook(name);
    if (book.revision !== undefined && command.revision < book.revision)
      return { refused: { code: 'order-outdated', revision: book.revision } };
    book.revision = command.revision;
    this.books.set(book.id, book);
    const moved = { reserved: 0, released: 0, fulfilled: 0, returned: 0, shortfall: 0 };
    const wishes = [...command.lines.map((line) => ({ ...line })), ...this.vanished(book, command)];
    for (const wish of wishes) moved.released += this.giveBackExcess(book, wish);
    for (const wish of wishes) this.settleLine(book, name, wish, moved);
    book.state = 'confirmed';
    if (moved.shortfall === 0) this.closeIfDone(book);
    return { book, moved };
  }

  private vanished(book: Book, { lineIds }: SettleOrderCommand): Wish[] {
    const gone = [...book.triedAt.keys()].filter((line) => !lineIds.includes(line.split('|')[0]!));
    return gone.map((line) => {
      const [lineId, sku] = line.split('|') as [string, string];
      const fulfilled = ofLine(book, line).filter((unit) => unit.fate === 'shipped').length;
      return { lineId, skuId: Number(sku), ordered: 0, cancelled: 0, fulfilled, returned: 0 };
    });
  }

  private giveBackExcess(book: Book, wish: Wish): number {
    const line = lineOf(wish);
    const kept = ofLine(book, line).filter((unit) => unit.fate !== 'given back');
    const openUnits = kept.filter((unit) => unit.fate === 'open');
    const open = inOrderTried(openUnits, book.triedAt.get(line) ?? []).reverse();
    const excess = open.slice(0, Math.max(0, kept.length - wantedUnits(wish)));
    this.end(excess, 'given back');
    return excess.length;
  }

  private settleLine(book: Book, name: string, wish: Wish, moved: NonNullable<OracleAnswer['moved']>): void {
    const line = lineOf(wish);
    const { skuId: sku, locationId } = wish;
    const tried = book.triedAt.get(line) ?? [];
    const kept = () => ofLine(book, line).filter((unit) => unit.fate !== 'given back').length;
    const missing = Math.max(0, wantedUnits(wish) - kept());
    for (const loc of this.pick(sku, missing, locationId).picked) {
      this.counter(sku, loc).available--;
      book.units.push({ sku, loc, line, fate: 'open', returned: false });
      if (!tried.includes(loc)) tried.push(loc);
      moved.reserved++;
    }
    const shipped = () => ofLine(book, line).filter((unit) => unit.fate === 'shipped');
    const openUnits = ofLine(book, line).filter((unit) => unit.fate === 'open');
    const open = inOrderTried(openUnits, tried);
    const leaving = open.slice(0, Math.max(0, wish.fulfilled - shipped().length));
    this.end(leaving, 'shipped');
    moved.fulfilled += leaving.length;
    const back = shipped().filter((unit) => unit.returned).length;
    const notBack = shipped().filter((unit) => !unit.returned);
    const away = inOrderTried(notBack, tried);
    for (const unit of away.slice(0, Math.max(0, wish.returned - back))) {
      unit.returned = true;
      this.put(sku, unit.loc, 'quarantined', 1);
      moved.returned++;
    }
    const shortUnits = Math.max(0, wantedUnits(wish) - kept());
    if (shortUnits > 0 && tried.length === 0) tried.push(locationId ?? 0);
    if (tried.length > 0) book.triedAt.set(line, tried);
    moved.shortfall += shortUnits;
    if (shortUnits > 0) this.shortfalls.set(`${name}/${line}`, shortUnits);
    else this.shortfalls.delete(`${name}/${line}`);
  }

  private take(sku: number, loc: number, place: Place, units: number): Refusal | undefined {
    const present = this.count(sku, loc, place);
    if (present < units) return { code: 'insufficient-state', state: place, needed: units, present };
    this.put(sku, loc, place, -units);
    return undefined;
  }

  private put(sku: number, loc: number, place: Place, units: number): void {
    this.counter(sku, loc)[place] += units;
    if (place !== 'in_transit' && place !== 'on_order') this.shelve(sku, loc, units);
  }

  private shelve(sku: number, loc: number, units: number): void {
    this.onShelves.set(`${sku}@${loc}`, (this.onShelves.get(`${sku}@${loc}`) ?? 0) + units);
  }

  private counter(sku: number, loc: number): Record<Place, number> {
    const key = `${sku}@${loc}`;
    const none = { available: 0, quarantined: 0, damaged: 0, in_transit: 0, on_order: 0 };
    if (!this.counters.has(key)) this.counters.set(key, none);
    return this.counters.get(key)!;
  }

  private unitsOf(sku: number, loc: number): PromisedUnit[] {
    return [...this.books.values()].flatMap((book) =>
      book.units.filter((unit) => unit.sku === sku && unit.loc === loc),
    );
  }
}

type Wish = SettleOrderCommand['lines'][number];

function emptyBook(name: string): Book {
  return { id: `${name}#`, state: 'confirmed', units: [], triedAt: new Map() };
}

function lineOf({ lineId, skuId }: Wish): string {
  return `${lineId}|${skuId}`;
}

function ofLine(book: Book, line: string): PromisedUnit[] {
  return book.units.filter((unit) => unit.line === line);
}

function wantedUnits({ ordered, cancelled, fulfilled }: Wish): number {
  return Math.max(ordered - cancelled, fulfilled);
}

/** Units by location, in the order in which the line tried the locations. */
function inOrderTried(units: readonly PromisedUnit[], tried: readonly number[]): PromisedUnit[] {
  return tried.flatMap((loc) => units.filter((unit) => unit.loc === loc));
}
