import { isGood, type Summary } from './summary';

/** The summary for people: one line per question, and what to do about what is not as it was meant to be. */
export function summaryText(summary: Summary): string {
  const rows: [label: string, text: string][] = [
    ['File', `${summary.source}: ${number(summary.lines)} lines, ${number(summary.documents)} documents`],
    ['Replayed', replayedText(summary)],
    ['No stock', unusableText(summary)],
    ['Webhooks', webhookText(summary)],
    [
      'Ledger',
      summary.events === 0
        ? 'nothing new'
        : `${number(summary.events)} events: ${list(summary.eventsByType)}`,
    ],
    [
      'Time',
      `${summary.seconds} s, ${number(summary.eventsPerSecond)} events/s; the last ${summary.quietSeconds} s pushing out`,
    ],
    ['Shortfalls', shortfallText(summary)],
    ['Channel', channelText(summary)],
    [
      'Verified',
      summary.verified ? 'yes: every level is the fold of its events' : 'NO: run `onhand verify` for details',
    ],
  ];
  const notes = notesOf(summary);
  return [
    ...rows.map(([label, text]) => `  ${label.padEnd(11)} ${text}`),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `  * ${note}`)] : []),
    '',
    isGood(summary)
      ? '  The channel shows what the ledger says.'
      : '  The channel and the ledger do NOT agree.',
  ].join('\n');
}

function replayedText({ orders, returns, corrections, skus, empty }: Summary): string {
  const without = empty > 0 ? `; ${number(empty)} documents have no line that moves stock` : '';
  return `${number(orders)} orders, ${number(returns)} returns, ${number(corrections)} count corrections over ${number(skus)} SKUs${without}`;
}

function unusableText({ unusable }: Summary): string {
  const total = Object.values(unusable).reduce((sum, count) => sum + count, 0);
  return total === 0 ? 'every line moves stock' : `${number(total)} lines left out: ${list(unusable)}`;
}

function webhookText({ webhooks, webhooksRepeated, duplicatesIgnored }: Summary): string {
  return `${number(webhooks)} sent, ${number(webhooksRepeated)} of them a second time; ${number(duplicatesIgnored)} known already and ignored`;
}

function shortfallText({ shortfalls, opening }: Summary): string {
  if (shortfalls > 0) return `${number(shortfalls)} recorded (opening stock × ${opening})`;
  return 'none: every ordered unit was there';
}

function channelText({ listings, differing, channelEqual }: Summary): string {
  const verdict = channelEqual ? 'all equal to the ledger' : `${number(differing)} NOT equal to the ledger`;
  return `${number(listings)} listings, ${verdict}`;
}

/** What is not as it was meant to be, or not plain to see. */
function notesOf(summary: Summary): string[] {
  const { differences, refused, parkedLines, parkedWebhooks, parkedListings, inFuture, reservedUnits } =
    summary;
  const shown = differences.map(
    ({ channelSku, shown, expected }) =>
      `${channelSku} shows ${shown}, the ledger says ${expected ?? 'nothing of it'}`,
  );
  const refusals = Object.entries(refused).map(
    ([code, { count, example }]) => `${number(count)} events refused (${code}), such as: ${example}`,
  );
  const when = (applies: boolean, note: string) => (applies ? [note] : []);
  return [
    ...shown,
    ...refusals,
    ...when(
      parkedLines > 0,
      `${number(parkedLines)} order lines wait for a listing; \`onhand orders listings FILE\` prints the listings of a file`,
    ),
    ...when(
      parkedWebhooks > 0,
      `${number(parkedWebhooks)} webhooks could not be applied; see GET /v1/parked/webhooks`,
    ),
    ...when(
      parkedListings > 0,
      `the channel refused ${number(parkedListings)} listings; see its GET /v1/channels/…/listings`,
    ),
    ...when(
      !summary.quiet,
      'webhooks or pushes were still waiting, and nothing moved any more; the log of the host says why',
    ),
    ...when(
      reservedUnits > 0 && inFuture === 0,
      `${number(reservedUnits)} units are still reserved, although every order is shipped`,
    ),
    ...when(inFuture > 0, `${number(inFuture)} shipments and inspections left out: their time has not come`),
    ...when(
      summary.repeatedRun,
      'the file was replayed on this host before: nothing was posted twice, and the channel was reconciled',
    ),
  ];
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${number(count)}`)
    .join(', ');
}

function number(value: number): string {
  return value.toLocaleString('en-GB');
}
