/** What became of one message or row of a feed. */
export interface MessageProblem {
  messageId: number;
  sku?: string;
  code: string;
  message: string;
  attributeNames?: string[];
}

/** A processed feed: what its result document says, as its type writes it. */
export interface FeedResult {
  contentType: string;
  text: string;
}

/**
 * The processing report of a `JSON_LISTINGS_FEED`. What was accepted has no line of its own: only its count.
 * https://developer-docs.amazon.com/sp-api/docs/listings-feed-type-values
 */
export function listingsReport(
  header: { sellerId: string; feedId: string },
  processed: number,
  problems: readonly MessageProblem[],
): FeedResult {
  const invalid = new Set(problems.map(({ messageId }) => messageId)).size;
  const report = {
    header: { sellerId: header.sellerId, version: '2.0', feedId: header.feedId },
    issues: problems.map(({ messageId, sku, code, message, attributeNames }) => ({
      ...{ messageId, sku, code, severity: 'ERROR', message },
      ...(attributeNames ? { attributeNames } : {}),
      categories: attributeNames ? ['INVALID_ATTRIBUTE'] : [],
    })),
    summary: {
      errors: problems.length,
      warnings: 0,
      messagesProcessed: processed,
      messagesAccepted: processed - invalid,
      messagesInvalid: invalid,
    },
  };
  return { contentType: 'application/json; charset=UTF-8', text: JSON.stringify(report) };
}

/** The processing report of an XML feed, which counts messages and has a result for each that failed. */
export function xmlReport(
  feedId: string,
  processed: number,
  problems: readonly MessageProblem[],
): FeedResult {
  const failed = new Set(problems.map(({ messageId }) => messageId)).size;
  const results = problems.map(
    ({ messageId, code, message }) =>
      `<Result><MessageID>${messageId}</MessageID><ResultCode>Error</ResultCode>` +
      `<ResultMessageCode>${code}</ResultMessageCode>` +
      `<ResultDescription>${escaped(message)}</ResultDescription></Result>`,
  );
  const summary =
    `<ProcessingSummary><MessagesProcessed>${processed}</MessagesProcessed>` +
    `<MessagesSuccessful>${processed - failed}</MessagesSuccessful>` +
    `<MessagesWithError>${failed}</MessagesWithError>` +
    `<MessagesWithWarning>0</MessagesWithWarning></ProcessingSummary>`;
  const report =
    `<ProcessingReport><DocumentTransactionID>${feedId}</DocumentTransactionID>` +
    `<StatusCode>Complete</StatusCode>${summary}${results.join('')}</ProcessingReport>`;
  return {
    contentType: 'text/xml; charset=UTF-8',
    text:
      '<?xml version="1.0" encoding="UTF-8"?>\n<AmazonEnvelope>' +
      '<Header><DocumentVersion>1.02</DocumentVersion></Header><MessageType>ProcessingReport</MessageType>' +
      `<Message><MessageID>1</MessageID>${report}</Message></AmazonEnvelope>`,
  };
}

/** The processing report of a flat file: two counts, and a row for each record that failed. */
export function flatFileReport(processed: number, problems: readonly MessageProblem[]): FeedResult {
  const failed = new Set(problems.map(({ messageId }) => messageId)).size;
  const lines = [
    'Feed Processing Summary:',
    `\tNumber of records processed\t\t${processed}`,
    `\tNumber of records successful\t\t${processed - failed}`,
    '',
    ['original-record-number', 'sku', 'error-code', 'error-type', 'error-message'].join('\t'),
    ...problems.map(({ messageId, sku = '', code, message }) =>
      [messageId, sku, code, 'Error', message].join('\t'),
    ),
  ];
  return { contentType: 'text/tab-separated-values; charset=UTF-8', text: `${lines.join('\r\n')}\r\n` };
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] as string);
}
