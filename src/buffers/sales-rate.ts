/*
 * How fast a SKU sells at a location, counted from the ledger: units of this clock hour and the one before, and
 * units ever, each weighing half after a week. Everything is kept in a handful of numbers, so that counting costs
 * what the new events cost. `COUNT_SALES` does the same in SQL; the two are tested against each other.
 */

export const HOUR_MS = 3_600_000;
/** After so long a sale weighs half. */
export const HALF_LIFE_MS = 7 * 24 * HOUR_MS;
/** A SKU known for less is taken to have been there for so long: one sale in a first hour is no rate. */
const SHORTEST_HISTORY_MS = 24 * HOUR_MS;

export interface SalesRate {
  /** Start of the clock hour of `hourUnits`, ms since 1970. */
  hourMs: number;
  hourUnits: number;
  /** Units of the hour before it. */
  previousUnits: number;
  /** Units, each weighed by its age at `countedMs`. */
  weightedUnits: number;
  countedMs: number;
  /** The first sale. */
  sinceMs: number;
}

/** What of it matters for a buffer. */
export interface SalesSignals {
  /** Units of the last 60 minutes. */
  hourUnits: number;
  /** Units an hour, on average before that. */
  usualPerHour: number;
  /** How long the SKU has been sold. */
  knownHours: number;
}

export const NO_SALES: SalesSignals = { hourUnits: 0, usualPerHour: 0, knownHours: 0 };

/** One sale more, not before those counted. */
export function countSale(rate: SalesRate | undefined, units: number, atMs: number): SalesRate {
  const hourMs = Math.floor(atMs / HOUR_MS) * HOUR_MS;
  if (!rate)
    return {
      hourMs,
      hourUnits: units,
      previousUnits: 0,
      weightedUnits: units,
      countedMs: atMs,
      sinceMs: atMs,
    };
  const hours = (hourMs - rate.hourMs) / HOUR_MS;
  return {
    hourMs,
    hourUnits: units + (hours === 0 ? rate.hourUnits : 0),
    previousUnits: hours === 0 ? rate.previousUnits : hours === 1 ? rate.hourUnits : 0,
    weightedUnits: units + rate.weightedUnits * weightAfter(atMs - rate.countedMs),
    countedMs: atMs,
    sinceMs: rate.sinceMs,
  };
}

/**
 * The last 60 minutes are this clock hour and the part of the one before that is not older. What is usual leaves
 * them out, so that an hour is compared with what came before it.
 */
export function signalsAt(rate: SalesRate, nowMs: number): SalesSignals {
  const hours = Math.floor(nowMs / HOUR_MS) - rate.hourMs / HOUR_MS;
  const elapsed = (nowMs % HOUR_MS) / HOUR_MS;
  const [current, before] =
    hours <= 0 ? [rate.hourUnits, rate.previousUnits] : hours === 1 ? [0, rate.hourUnits] : [0, 0];
  const hourUnits = current + before * (1 - elapsed);
  const age = Math.max(0, nowMs - rate.sinceMs);
  const usual = Math.max(0, rate.weightedUnits * weightAfter(nowMs - rate.countedMs) - hourUnits);
  return { hourUnits, usualPerHour: usual / weighedHours(age), knownHours: age / HOUR_MS };
}

function weightAfter(durationMs: number): number {
  return 2 ** (-Math.max(0, durationMs) / HALF_LIFE_MS);
}

/** Hours of a history of this length, each weighed by its age, without the last one. */
function weighedHours(ageMs: number): number {
  const lengthMs = Math.max(SHORTEST_HISTORY_MS, ageMs - HOUR_MS);
  return ((HALF_LIFE_MS / Math.LN2) * (1 - weightAfter(lengthMs))) / HOUR_MS;
}
