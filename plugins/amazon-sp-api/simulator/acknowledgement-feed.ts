import { SimulatorRefusal } from 'onhand/channel-api';
import { type FeedResult, flatFileReport, type MessageProblem, xmlReport } from './feed-results';

/** A seller's refusal of an order: of some of its items, or of all where it names none. */
export interface OrderFailure {
  messageId: number;
  orderId: string;
  items: { orderItemId: string; quantityUnits?: number; reason: string }[];
}

/** Cancels what a failure names. Throws `SimulatorRefusal` where that cannot be. */
export type CancelForSeller = (failure: OrderFailure) => void;

const REASONS = [
  ...[
    'NoInventory',
    'ShippingAddressUndeliverable',
    'CustomerExchange',
    'BuyerCanceled',
    'GeneralAdjustment',
  ],
  ...['CarrierCreditDecision', 'RiskAssessmentInformationNotValid', 'CarrierCoverageFailure'],
  ...['CustomerReturn', 'MerchandiseNotReceived'],
];

/** The columns that the documentation of the feed type names. */
const COLUMNS = ['order-id', 'amazon-order-item-code', 'cancellation-reason-code'];

/**
 * Processes `POST_ORDER_ACKNOWLEDGEMENT_DATA`. Messages with the status `Success` acknowledge, and change nothing.
 * Undefined where the document is no such feed, which ends it as FATAL.
 * https://developer-docs.amazon.com/sp-api/docs/order-feed-type-values
 */
export function processXmlAcknowledgements(
  document: Buffer,
  feedId: string,
  cancel: CancelForSeller,
): FeedResult | undefined {
  const text = document.toString('utf8');
  if (!/<MessageType>\s*OrderAcknowledge?ment\s*<\/MessageType>/.test(text)) return undefined;
  const messages = elementsOf(text, 'Message');
  if (messages.length === 0) return undefined;
  const problems = messages.flatMap((message) => {
    const messageId = Number(elementOf(message, 'MessageID') ?? 0);
    if (elementOf(message, 'StatusCode') !== 'Failure') return [];
    const items = elementsOf(message, 'Item').map((item) => ({
      orderItemId: elementOf(item, 'AmazonOrderItemCode') ?? '',
      quantityUnits: numberOf(elementOf(item, 'Quantity')),
      reason: elementOf(item, 'CancelReason') ?? '',
    }));
    return problemOf({ messageId, orderId: elementOf(message, 'AmazonOrderID') ?? '', items }, cancel);
  });
  return xmlReport(feedId, messages.length, problems);
}

/** Processes `POST_FLAT_FILE_ORDER_ACKNOWLEDGEMENT_DATA`, each of whose rows cancels an item, or an order. */
export function processFlatFileAcknowledgements(
  document: Buffer,
  cancel: CancelForSeller,
): FeedResult | undefined {
  const rows = document
    .toString('utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
  const start = rows.findIndex((row) => COLUMNS.every((column) => row.includes(column)));
  const columns = rows[start];
  if (!columns) return undefined;
  const records = rows.slice(start + 1);
  const problems = records.flatMap((row, index) => {
    const [orderId = '', orderItemId = '', reason = ''] = COLUMNS.map((name) => row[columns.indexOf(name)]);
    const items = orderItemId === '' ? [] : [{ orderItemId, reason }];
    return problemOf({ messageId: index + 1, orderId, items }, cancel);
  });
  return flatFileReport(records.length, problems);
}

function problemOf(failure: OrderFailure, cancel: CancelForSeller): MessageProblem[] {
  const { messageId, items } = failure;
  const wrong = items.find(({ reason }) => !REASONS.includes(reason));
  if (wrong)
    return [{ messageId, code: '18117', message: 'The cancel reason is not one of the known ones.' }];
  try {
    cancel(failure);
    return [];
  } catch (error) {
    if (!(error instanceof SimulatorRefusal)) throw error;
    return [{ messageId, code: error.status === 404 ? '18028' : '18030', message: error.message }];
  }
}

function elementsOf(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].map(
    ([, inner = '']) => inner,
  );
}

function elementOf(text: string, name: string): string | undefined {
  const [inner] = elementsOf(text, name);
  return inner?.trim().replace(/&(amp|lt|gt|quot|apos);/g, (_, entity: string) => ENTITIES[entity] as string);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
