import type { Quantiles } from './random';

/*
 * The shape of a real shop's December. All figures are measured on the lines of 1–13 December 2010 in
 * "Online Retail" (Chen, D., 2015, UCI Machine Learning Repository, https://doi.org/10.24432/C5BW33,
 * CC BY 4.0): 28,492 lines, 1,275 documents, 2,605 codes. The figures are facts about that file; no line of
 * it is copied here.
 */

const SHARES = [
  0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95,
  0.975, 0.99, 1,
];
const TENTHS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const DAY_SHARES = [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1];
/** Close together at the start, where few SKUs have most of the lines. */
const RANK_SHARES = [
  0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
];

function quantiles(shares: readonly number[], values: readonly number[]): Quantiles {
  return values.map((value, index) => [shares[index]!, value] as const);
}

/**
 * Documents by kind. `site` orders are those of a web shop that bills its buyers of a day or two as one, with
 * hundreds of lines of a unit or two; `gifts` are orders of one unpriced line.
 */
export const DOCUMENTS = { orders: 964, siteOrders: 25, gifts: 58, returns: 141, corrections: 67 };

/** SKUs, how many of them differ from another one only in the case of a letter, and the share that has a letter. */
export const CATALOGUE = { skus: 2_597, differingInCase: 48, withLetter: 0.25 };

export const LINES_PER_ORDER = quantiles(
  SHARES,
  [1, 1, 1, 2, 4, 5, 7, 8, 10, 12, 13, 15, 16, 19, 21, 25, 30, 38, 48, 60, 71, 105, 169],
);
export const LINES_PER_SITE_ORDER = quantiles(TENTHS, [20, 78, 110, 120, 138, 489, 533, 590, 592, 619, 674]);
export const LINES_PER_RETURN = quantiles(
  SHARES,
  [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 5, 9, 14, 26, 39],
);

/** Units of a line, by how many lines its order has: who orders few things orders many of each. */
export const UNITS_BY_ORDER_SIZE = [
  {
    maxLines: 5,
    units: quantiles(
      SHARES,
      [1, 1, 2, 2, 3, 4, 6, 6, 8, 12, 12, 12, 16, 24, 32, 40, 50, 72, 120, 216, 408, 1394, 2880],
    ),
  },
  {
    maxLines: 30,
    units: quantiles(
      SHARES,
      [1, 1, 1, 2, 2, 2, 3, 4, 4, 6, 6, 6, 8, 10, 12, 12, 12, 20, 24, 36, 52, 100, 1008],
    ),
  },
  {
    maxLines: Infinity,
    units: quantiles(SHARES, [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8, 12, 12, 24, 36, 64, 270]),
  },
];
export const UNITS_PER_SITE_LINE = quantiles(
  SHARES,
  [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 5, 7, 11, 20, 95],
);
export const UNITS_PER_GIFT = quantiles(
  SHARES,
  [1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 7, 10, 13, 20, 27, 30, 46, 70, 110, 144, 144, 288],
);
export const UNITS_PER_RETURN = quantiles(
  SHARES,
  [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 6, 8, 12, 15, 36, 50, 144, 9360],
);
export const UNITS_PER_CORRECTION = quantiles(
  SHARES,
  [1, 4, 6, 11, 14, 15, 20, 20, 20, 24, 25, 30, 35, 40, 50, 70, 80, 100, 130, 177, 223, 320, 723],
);

/** Order lines per SKU, the most popular SKU first: the first tenth of the SKUs has 41 % of the lines. */
export const LINES_PER_SKU = quantiles(
  RANK_SHARES,
  [152, 108, 92, 74, 54, 38, 27, 21, 17, 14, 12, 8, 5, 4, 3, 2, 1, 1],
);

/** Share of an order's lines that name an SKU the order already has (717 of 18,768; site orders hardly any). */
export const REPEATED_SKU = 0.038;

/** Share of returned lines whose units were sold within the file (341 of 400); the rest were bought before. */
export const RETURNED_AFTER_SALE = 0.85;

/** Minutes after midnight. */
export const ORDER_MINUTES = quantiles(
  DAY_SHARES,
  [468, 514, 575, 604, 651, 701, 742, 776, 816, 870, 920, 977, 1017, 1116, 1201],
);
export const RETURN_MINUTES = quantiles(
  DAY_SHARES,
  [522, 537, 595, 625, 693, 769, 805, 862, 883, 901, 933, 1018, 1034, 1055, 1056],
);
export const CORRECTION_MINUTES = quantiles(
  DAY_SHARES,
  [566, 566, 568, 575, 755, 814, 882, 933, 936, 939, 943, 997, 1037, 1045, 1045],
);

/** Orders per weekday, Sunday first; the shop is closed on Saturdays. */
export const WEEKDAY_WEIGHTS = [66, 102, 83, 121, 123, 72, 0];

/** Median price of each SKU, in pounds. */
export const UNIT_PRICES = quantiles(
  SHARES,
  [
    0.12, 0.42, 0.85, 0.85, 1.25, 1.25, 1.65, 1.66, 2.1, 2.51, 2.55, 2.95, 3.36, 3.75, 4.21, 4.95, 5.91, 6.77,
    8.47, 11.02, 16.13, 25.49, 295,
  ],
);

export const HOME_COUNTRY = 'United Kingdom';
/** Orders by country. */
export const COUNTRIES = {
  [HOME_COUNTRY]: 923,
  Germany: 16,
  France: 12,
  EIRE: 11,
  Portugal: 5,
  Lithuania: 4,
  Spain: 3,
  Japan: 3,
  Australia: 2,
  Norway: 2,
};

/** What corrections give as their reason; most give none. */
export const CORRECTION_REASONS = { '': 59, '?': 2, check: 2, 'Dotcom sales': 2, damages: 1, faulty: 1 };

/** Lines that are no stock: on which share of the orders, and on how many documents of their own. */
export const CHARGES = {
  /** 37 of the 66 orders from abroad. */
  postageAbroad: 0.56,
  manualPerOrder: 18 / 989,
  carriagePerOrder: 5 / 989,
  /** Return documents of one such line. */
  returns: { AMAZONFEE: 6, D: 4, M: 4, S: 2, 'BANK CHARGES': 1 },
};
