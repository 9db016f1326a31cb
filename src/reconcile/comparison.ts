import type { PublishedQuantityService } from '../buffers/published-quantity.service';
import type { Waterfall } from '../buffers/waterfall';
import type { ShownInventory } from '../channel-api';
import type { ReadyChannel } from '../channels/channels.service';
import type { Listing, ListingsService } from '../channels/listings.service';
import type { UnmappedService } from '../channels/unmapped.service';
import { type DriftCause, type DriftRecords, type Finding, type LeftAlone, placeKey } from './drift-records';
import { type Facts, judge } from './judge';
import type { OrderCatchUpService } from './order-catch-up.service';
import type { ReadPage } from './read-ahead';
import { countCause, type ReconcileReport } from './reconcile-report';

/** What a comparison needs of the host. */
export interface ComparisonParts {
  listings: ListingsService;
  unmapped: UnmappedService;
  published: PublishedQuantityService;
  orders: OrderCatchUpService;
  records: DriftRecords;
  /** Something is to be pushed. */
  wakePush: () => void;
  /** How long a channel may take to show what it accepted. */
  confirmWithinMs: number;
}

/** A listing that shows what nothing known so far explains. */
interface Suspect {
  listing: Listing;
  channelLocation: string;
  shownUnits: number;
  expectedUnits: number;
  readAt: Date;
  confirmWithinMs: number;
  /** As they were before the page was taken in. */
  facts: Facts;
}

/** Orders are read once for so many suspects, or for those of so long: some channels list orders rarely. */
const MOST_SUSPECTS = 1_000;
const LONGEST_SUSPICION_MS = 60_000;
const JUDGED_AT_ONCE = 500;
/** Open at a time for one channel: it could go on naming SKUs that nobody mapped. All are counted. */
const MOST_UNMAPPED = 1_000;

/** One comparison of what a channel shows with what it should, page by page, in bounded memory. */
export class Comparison {
  private suspects: Suspect[] = [];
  private suspectsSince = 0;
  private unmappedLeft: number | undefined;

  constructor(
    private readonly channel: ReadyChannel,
    readonly report: ReconcileReport,
    private readonly parts: ComparisonParts,
    private readonly signal: AbortSignal,
  ) {}

  /** Nothing of what was compared waits for its verdict. */
  get isSettled(): boolean {
    return this.suspects.length === 0;
  }

  get isDue(): boolean {
    return (
      this.suspects.length >= MOST_SUSPECTS ||
      (!this.isSettled && performance.now() - this.suspectsSince > LONGEST_SUSPICION_MS)
    );
  }

  async compare({ page, readAt }: ReadPage<ShownInventory>): Promise<void> {
    const { listings, published, records, unmapped, confirmWithinMs } = this.parts;
    const ours = page.items.filter((item) => this.isOurs(item));
    const found = ours.map((item) => ({ item, listing: listings.find(this.channel.name, item.channelSku) }));
    const mapped = found.flatMap(({ item, listing }) => (listing ? [{ item, listing }] : []));
    const expected = await published.computeFor(
      mapped.map(({ item, listing }) => this.question(listing, item.channelLocation)),
    );
    const rows = mapped.map(({ item, listing }, index) => ({
      listing,
      channelLocation: item.channelLocation ?? '',
      shownUnits: item.quantityUnits,
      expectedUnits: expected[index]!.quantity,
      readAt,
      confirmWithinMs,
    }));
    const equal = rows.filter((row) => row.shownUnits === row.expectedUnits);
    await this.suspect(rows.filter((row) => row.shownUnits !== row.expectedUnits));
    await listings.recordShown(this.channel.name, ours, readAt);
    await records.resolve(
      this.channel.name,
      equal.map(({ listing, channelLocation }) => ({ channelSku: listing.channelSku, channelLocation })),
    );
    const strangers = found.filter(({ listing }) => !listing).map(({ item }) => item);
    await unmapped.recordRead(this.channel.name, strangers);
    await this.noteUnmapped(strangers);
    this.report.pages++;
    this.report.listings += rows.length;
    this.report.equal += equal.length;
  }

  /**
   * Judges those that nothing explained, with the channel's orders read up to when they were shown. Without
   * `withOrders`, by what is known.
   */
  async settle({ withOrders = true } = {}): Promise<void> {
    const { suspects } = this;
    this.suspects = [];
    if (suspects.length === 0) return;
    const last = suspects.reduce((latest, { readAt }) => (readAt > latest ? readAt : latest), new Date(0));
    const { orders } = this.parts;
    const isCovered = withOrders && (await orders.catchUp(this.channel, last, this.signal));
    for (let at = 0; at < suspects.length; at += JUDGED_AT_ONCE)
      await this.judgeAgain(suspects.slice(at, at + JUDGED_AT_ONCE), isCovered);
  }

  /** Mapped listings, of these or all, that the channel did not show since the run began. */
  async noteMissing(since: Date, channelSkus: readonly string[] | null): Promise<void> {
    const { records, listings, published } = this.parts;
    for (let after = 0; ;) {
      const ids = await records.notShownSince(this.channel.name, since, channelSkus, after, JUDGED_AT_ONCE);
      const missing = ids.flatMap((id) => listings.get(id) ?? []);
      const expected = await published.compute(missing);
      await this.record(
        missing.map(({ channelSku }, index) =>
          findingOf(channelSku, '', 'missing', null, expected[index]!.quantity),
        ),
      );
      this.report.missing += missing.length;
      this.report.listings += missing.length;
      if (ids.length < JUDGED_AT_ONCE) return;
      after = ids.at(-1)!;
    }
  }

  /** What a channel keeps at a place that no location is mapped to is none of ours. */
  private isOurs({ channelLocation }: ShownInventory): boolean {
    const { capabilities, config } = this.channel;
    if (!capabilities.stockByLocation) return true;
    return channelLocation !== undefined && channelLocation in config.locations;
  }

  private question(listing: Listing, channelLocation: string | undefined) {
    const isByLocation = this.channel.capabilities.stockByLocation && channelLocation !== '';
    return { listing, ...(isByLocation && { channelLocation }) };
  }

  private async suspect(rows: readonly Omit<Suspect, 'facts'>[]): Promise<void> {
    const facts = await this.parts.records.facts(rows.map(placeOf));
    rows.forEach((row, index) => {
      if (judge(row, facts[index]!) === 'in-flight') this.report.inFlight++;
      else {
        if (this.isSettled) this.suspectsSince = performance.now();
        this.suspects.push({ ...row, facts: facts[index]! });
      }
    });
  }

  private async judgeAgain(suspects: readonly Suspect[], isCovered: boolean): Promise<void> {
    const { published, records, listings, wakePush } = this.parts;
    const expected = await published.computeFor(
      suspects.map(({ listing, channelLocation }) => this.question(listing, channelLocation)),
    );
    // After what is expected was computed: a change since then is on its way, and seen to be.
    const facts = await records.facts(suspects.map(placeOf));
    const findings = suspects.flatMap((suspect, index) => {
      const cause = this.causeOf(suspect, expected[index]!.quantity, facts[index]!, isCovered);
      if (cause === undefined) this.report.inFlight++;
      else countCause(this.report, cause);
      return cause === undefined ? [] : [this.found(suspect, expected[index]!, facts[index]!, cause)];
    });
    const { escalated, accepted } = await this.record(findings.map(({ finding }) => finding));
    const isLeft = (key: string) => escalated.has(key) || accepted.has(key);
    const dirty = findings.filter(({ finding }) => finding.corrected && !isLeft(placeKey(finding)));
    await listings.markDirty([...new Set(dirty.map(({ listing }) => listing.id))], { forced: true });
    this.report.corrected += dirty.length;
    this.report.escalated += escalated.size;
    if (dirty.length > 0) wakePush();
  }

  /** Undefined for what is on its way. */
  private causeOf(
    { facts: before, ...suspect }: Suspect,
    expectedUnits: number,
    now: Facts,
    isCovered: boolean,
  ): DriftCause | undefined {
    const { shownUnits, shownAt } = before;
    const verdict = judge({ ...suspect, expectedUnits }, { ...now, shownUnits, shownAt });
    if (verdict === 'equal') return 'unseen-order';
    if (verdict === 'in-flight') return undefined;
    const maySell = suspect.shownUnits < expectedUnits && this.channel.capabilities.readsOrders;
    return maySell && !isCovered ? 'orders-unread' : verdict;
  }

  private found(
    { listing, channelLocation, shownUnits }: Suspect,
    { quantity, components }: Waterfall,
    { pushedUnits, pushedAt }: Facts,
    cause: DriftCause,
  ): { listing: Listing; finding: Finding } {
    const { mode, onDrift } = this.channel.config;
    const isWrong = cause !== 'unseen-order' && cause !== 'orders-unread';
    const finding = {
      ...findingOf(listing.channelSku, channelLocation, cause, shownUnits, quantity),
      pushed: pushedUnits,
      pushedAt,
      versions: Object.fromEntries(components.map(({ sku, versions }) => [sku, versions])),
      corrected: isWrong && onDrift === 'correct' && mode !== 'observe',
    };
    return { listing, finding };
  }

  private async noteUnmapped(items: readonly ShownInventory[]): Promise<void> {
    this.report.unmapped += items.length;
    if (items.length === 0) return;
    this.unmappedLeft ??= MOST_UNMAPPED - (await this.parts.records.openUnmapped(this.channel.name));
    const told = items.slice(0, Math.max(0, this.unmappedLeft));
    this.unmappedLeft -= told.length;
    await this.record(
      told.map(({ channelSku, channelLocation = '', quantityUnits }) =>
        findingOf(channelSku, channelLocation, 'unmapped', quantityUnits, null),
      ),
    );
  }

  private record(findings: readonly Finding[]): Promise<LeftAlone> {
    return this.parts.records.record(this.report.id, this.channel.name, findings);
  }
}

function placeOf({ listing, channelLocation }: Pick<Suspect, 'listing' | 'channelLocation'>) {
  return { listingId: listing.id, channelLocation };
}

function findingOf(
  channelSku: string,
  channelLocation: string,
  cause: DriftCause,
  shown: number | null,
  expected: number | null,
): Finding {
  return { channelSku, channelLocation, cause, shown, expected, corrected: false };
}
