/** An order that could be cancelled, so that another one, or what is left of it, can be sent. */
export interface CancelCandidate {
  channel: string;
  orderId: string;
  /** The order that stock does not cover; the others hold the units that it lacks. */
  isShort: boolean;
  /** ISO 8601; null where the order is not known. */
  placedAt: string | null;
  /** Units of what is short that its cancellation frees, or makes needless. */
  freesUnits: number;
  /** Its lines that have nothing to do with what is short: their buyer is let down too. */
  otherLines: number;
  /** What a cancellation costs on its channel: `shortfall.cancelPenalty`. */
  penalty: number;
}

export interface RankedCandidate extends CancelCandidate {
  /** 1 is the order to cancel first. */
  place: number;
  /** 0 to 1; the sum of what each criterion says against it. */
  cost: number;
  /** In words, only of what tells the candidates apart. */
  reasons: string[];
}

/** What each criterion weighs. Together they make 1, and the first outweighs the others together. */
const WEIGHTS = { covers: 0.6, penalty: 0.2, otherLines: 0.1, placed: 0.1 };

/**
 * Which order to cancel, the cheapest first, and why. Pure, and the order in which they are given does not matter.
 *
 * Each criterion gives every candidate 0 (best to cancel) to 1 (worst), relative to the others; where all are alike it
 * says nothing. In their order of weight: an order whose cancellation covers all that is short, before one that would
 * be cancelled in vain; a channel where a cancellation costs less (marketplaces count them against the account); an
 * order with fewer other lines; and the one that was placed last, as who came first is served first. Of two that cost
 * the same, the short one, then the one placed later. Prices are no criterion: orders are kept without them.
 */
export function rankCandidates(
  candidates: readonly CancelCandidate[],
  shortUnits: number,
): RankedCandidate[] {
  const placings = [...new Set(candidates.map(placedMs))].sort((a, b) => b - a);
  const criteria = {
    covers: relative(candidates, ({ freesUnits }) => Number(freesUnits < shortUnits)),
    penalty: relative(candidates, ({ penalty }) => penalty),
    otherLines: relative(candidates, ({ otherLines }) => otherLines),
    placed: relative(candidates, (each) => placings.indexOf(placedMs(each))),
  };
  return candidates
    .map((candidate) => ({
      ...candidate,
      cost: rounded(
        criteria.covers(candidate) * WEIGHTS.covers +
          criteria.penalty(candidate) * WEIGHTS.penalty +
          criteria.otherLines(candidate) * WEIGHTS.otherLines +
          criteria.placed(candidate) * WEIGHTS.placed,
      ),
      reasons: reasonsOf(candidate, candidates, shortUnits),
    }))
    .sort(
      (a, b) =>
        a.cost - b.cost ||
        Number(b.isShort) - Number(a.isShort) ||
        placedMs(b) - placedMs(a) ||
        compareTexts(a.channel, b.channel) ||
        compareTexts(a.orderId, b.orderId),
    )
    .map((candidate, index) => ({ ...candidate, place: index + 1 }));
}

/** 0 for the smallest, 1 for the largest, and 0 for all where they are alike. */
function relative(
  candidates: readonly CancelCandidate[],
  figure: (candidate: CancelCandidate) => number,
): (candidate: CancelCandidate) => number {
  const figures = candidates.map(figure);
  const [least, most] = [Math.min(...figures), Math.max(...figures)];
  return (candidate) => (most === least ? 0 : (figure(candidate) - least) / (most - least));
}

function reasonsOf(
  candidate: CancelCandidate,
  all: readonly CancelCandidate[],
  shortUnits: number,
): string[] {
  const { freesUnits, penalty, otherLines, channel } = candidate;
  const differ = (figure: (each: CancelCandidate) => number) => new Set(all.map(figure)).size > 1;
  const placed = [...new Set(all.map(placedMs))].sort((a, b) => a - b);
  const turn = placed.indexOf(placedMs(candidate)) + 1;
  return [
    freesUnits < shortUnits && `frees ${freesUnits} of the ${shortUnits} short`,
    differ((each) => each.penalty) && `a cancellation on ${channel} counts ${penalty}`,
    differ((each) => each.otherLines) &&
      (otherLines === 0 ? 'no other lines' : `${otherLines} other ${otherLines === 1 ? 'line' : 'lines'}`),
    placed.length > 1 &&
      (turn === placed.length
        ? 'placed last'
        : turn === 1
          ? 'placed first'
          : `placed ${turn}. of ${placed.length}`),
  ].filter((reason) => reason !== false);
}

/** One whose time is not known is taken to be the oldest: nobody is cancelled for what we do not know. */
function placedMs({ placedAt }: CancelCandidate): number {
  return placedAt === null ? 0 : Date.parse(placedAt);
}

function rounded(cost: number): number {
  return Math.round(cost * 1000) / 1000;
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
