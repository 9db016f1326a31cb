import { UntranslatableError } from 'onhand/channel-api';
import { errorIn } from './amazon-sp-api.cancel';
import { tableRows } from './amazon-sp-api.documents';
import * as amazon from './amazon-sp-api.fixtures';
import { envelopeOf, translateNotification } from './amazon-sp-api.notifications';
import type { AmazonSpApiOptions } from './amazon-sp-api.options';
import { arrivedIn } from './amazon-sp-api.returns';
import { translateItem, translateOrder, translateReportRow } from './amazon-sp-api.translate';

const BUYER_ASKS = { cancellationRequest: { requester: 'BUYER', cancelReason: 'Ordered by mistake' } };

/** Ordered, cancelled and fulfilled, line by line. */
const countsOf = (fixture: amazon.OrderFixture) =>
  translateOrder(amazon.order(fixture))?.lines.map(({ ordered, cancelled, fulfilled }) => [
    ordered,
    cancelled,
    fulfilled,
  ]);

describe('an order', () => {
  it.each<[string, amazon.OrderFixture, number[][] | undefined]>([
    [
      'that is open',
      { items: [{ ordered: 2 }, { ordered: 1 }] },
      [
        [2, 0, 0],
        [1, 0, 0],
      ],
    ],
    [
      'that is pending reserves, whatever Amazon says is left',
      { status: 'PENDING', items: [{ ordered: 2, unfulfilled: 0 }] },
      [[2, 0, 0]],
    ],
    [
      'for a day to come reserves too',
      { status: 'PENDING_AVAILABILITY', items: [{ ordered: 2, unfulfilled: 0 }] },
      [[2, 0, 0]],
    ],
    [
      'that its buyer asks to cancel is not cancelled',
      { items: [{ ordered: 2, cancellation: BUYER_ASKS }] },
      [[2, 0, 0]],
    ],
    ['that is cancelled', { status: 'CANCELLED', items: [{ ordered: 2 }] }, [[2, 2, 0]]],
    ['shipped in part', { status: 'PARTIALLY_SHIPPED', items: [{ ordered: 3, fulfilled: 1 }] }, [[3, 0, 1]]],
    [
      'shipped in part, the rest cancelled',
      { status: 'SHIPPED', items: [{ ordered: 3, fulfilled: 1, unfulfilled: 0 }] },
      [[3, 2, 1]],
    ],
    ['that is shipped', { status: 'SHIPPED', items: [{ ordered: 3, fulfilled: 3 }] }, [[3, 0, 3]]],
    ['that Amazon ships is none of ours', { fulfilledBy: 'AMAZON' }, undefined],
  ])('%s', (_, fixture, counts) => {
    expect(countsOf(fixture)).toEqual(counts);
  });

  it('has the time of its last update for a revision', () => {
    expect(translateOrder(amazon.order())).toMatchObject({
      ...{ orderId: amazon.ORDER_ID, revision: Date.parse('2026-03-01T10:00:00Z') },
      ...{ placedAt: '2026-02-01T08:00:00.000Z', updatedAt: '2026-03-01T10:00:00.000Z' },
    });
  });

  it.each<[string, object]>([
    ['orderId', { orderId: undefined }],
    ['lastUpdatedTime', { lastUpdatedTime: 'yesterday' }],
    ['fulfillment', { fulfillment: null }],
    ['orderItems', { orderItems: {} }],
    [
      'orderItems[0].quantityOrdered',
      { orderItems: [{ ...amazon.order().orderItems[0], quantityOrdered: 1.5 }] },
    ],
    ['orderItems[0].product.sellerSku', { orderItems: [{ ...amazon.order().orderItems[0], product: {} }] }],
  ])('without a usable %s is untranslatable, and the message says so', (field, others) => {
    const translate = () => translateOrder({ ...amazon.order(), ...others });
    expect(translate).toThrow(UntranslatableError);
    expect(translate).toThrow(field);
  });
});

describe('a listing', () => {
  it.each<[string, object[], object]>([
    ['shows its effective quantity', [amazon.own(3)], { byAmazon: false, shown: { quantityUnits: 3 } }],
    ['without a number shows none', [amazon.own()], { byAmazon: false, shown: { quantityUnits: 0 } }],
    ['that was never given one shows none', [], { byAmazon: false, shown: { quantityUnits: 0 } }],
    [
      'that Amazon ships has none of ours',
      [{ fulfillmentChannelCode: 'AMAZON_EU', quantity: 9 }],
      { byAmazon: true },
    ],
    [
      'that both ship shows ours',
      [{ fulfillmentChannelCode: 'AMAZON_EU' }, amazon.own(2)],
      { byAmazon: false, shown: { quantityUnits: 2 } },
    ],
  ])('%s', (_, availability, expected) => {
    expect(translateItem(amazon.item('A', availability))).toMatchObject({ channelSku: 'A', ...expected });
  });

  it.each<[Record<string, string>, object]>([
    [
      { 'seller-sku': 'A', quantity: '7', 'fulfillment-channel': 'DEFAULT' },
      { byAmazon: false, shown: { channelSku: 'A', quantityUnits: 7 } },
    ],
    [{ 'seller-sku': 'F', quantity: '', 'fulfillment-channel': 'AMAZON_NA' }, { byAmazon: true }],
  ])('of a report: %j', (row, expected) => {
    expect(translateReportRow(row)).toMatchObject(expected);
  });
});

describe('a tab-separated file', () => {
  it('gives the wanted columns of each line, with a byte order mark, CRLF and missing values', () => {
    const text = '\ufeffSeller-SKU\tprice\tQuantity\r\nA\t1.00\t3\r\n\r\nB\n';
    expect([...tableRows(text, ['seller-sku', 'quantity', 'none'])]).toEqual([
      { 'seller-sku': 'A', quantity: '3' },
      { 'seller-sku': 'B', quantity: '' },
    ]);
  });

  it('of returns counts what has arrived, and not what was only asked for', () => {
    const row = (sku: string, units: string, arrivedOn: string) => ({
      ...{
        'order id': amazon.ORDER_ID,
        'merchant sku': sku,
        'return quantity': units,
        'return delivery date': arrivedOn,
      },
    });
    const rows = [
      row('A', '1', '01-Mar-2026'),
      row('A', '2', '02-Mar-2026'),
      row('B', '1', ''),
      row('C', 'x', '01-Mar-2026'),
    ];
    expect(arrivedIn(rows)).toEqual(new Map([[amazon.ORDER_ID, new Map([['A', 3]])]]));
  });
});

describe('a notification', () => {
  const options = {
    sellerId: 'S',
    marketplaceIds: [amazon.US],
    fba: { location: 'FBA' },
  } as AmazonSpApiOptions;
  const translated = (notification: unknown, given = options) =>
    translateNotification({ body: Buffer.from(JSON.stringify(notification)) }, given);
  const orderChange = (type: string, change: object = {}) => ({
    NotificationType: 'ORDER_CHANGE',
    Payload: {
      OrderChangeNotification: {
        SellerId: 'S',
        AmazonOrderId: '1',
        Summary: { FulfillmentType: type },
        ...change,
      },
    },
    NotificationMetadata: { NotificationId: 'n-1' },
  });
  const quantity = {
    NotificationType: 'LISTINGS_ITEM_MFN_QUANTITY_CHANGE',
    Payload: { SellerId: 'S', Sku: 'A', FulfillmentChannelCode: 'DEFAULT', Quantity: 4 },
  };
  const stock = (id: string, units: number) => ({
    MarketplaceId: id,
    FulfillmentInventory: { Fulfillable: units },
  });
  const fba = {
    NotificationType: 'FBA_INVENTORY_AVAILABILITY_CHANGES',
    Payload: {
      SellerId: 'S',
      SKU: 'F',
      FulfillmentInventoryByMarketplace: [stock(amazon.US, 50), stock(amazon.CA, 90)],
    },
  };

  it.each<[string, unknown, unknown[]]>([
    ['of an order only names it', orderChange('MFN'), [{ kind: 'order-changed', orderId: '1' }]],
    ['of an order that Amazon ships says nothing', orderChange('AFN'), []],
    [
      'of a quantity says what is shown',
      quantity,
      [{ kind: 'shown-inventory', items: [{ channelSku: 'A', quantityUnits: 4 }] }],
    ],
    [
      'by EventBridge is the event’s detail',
      { 'detail-type': 'LISTINGS_ITEM_MFN_QUANTITY_CHANGE', detail: quantity },
      [{ kind: 'shown-inventory', items: [{ channelSku: 'A', quantityUnits: 4 }] }],
    ],
    [
      'of stock at Amazon counts it, in the channel’s marketplaces',
      fba,
      [{ kind: 'counted-stock', items: [{ channelSku: 'F', channelLocation: 'FBA', quantityUnits: 50 }] }],
    ],
    ['of another kind says nothing', { notificationType: 'FEED_PROCESSING_FINISHED', payload: {} }, []],
  ])('%s', (_, notification, documents) => {
    expect(translated(notification)).toEqual(documents);
  });

  it('of stock at Amazon says nothing where the channel does not count it', () => {
    expect(translated(fba, { ...options, fba: undefined })).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['of another seller', orderChange('MFN', { SellerId: 'T' })],
    ['without an order', orderChange('MFN', { AmazonOrderId: undefined })],
    ['without a payload', { NotificationType: 'ORDER_CHANGE' }],
    ['that is null', null],
    ['that is a list', []],
    ['with half a unit', { ...quantity, Payload: { ...quantity.Payload, Quantity: 0.5 } }],
  ])('%s is untranslatable', (_, notification) => {
    expect(() => translated(notification)).toThrow(UntranslatableError);
  });

  it('that is no JSON is untranslatable, and known by its message', () => {
    expect(() => translateNotification({ body: Buffer.from('<html>') }, options)).toThrow(
      UntranslatableError,
    );
    expect(envelopeOf('<html>', 'm-1')).toEqual({ topic: 'unknown', notificationId: 'm-1' });
  });

  it.each([
    ['PascalCase', orderChange('MFN'), { topic: 'ORDER_CHANGE', notificationId: 'n-1' }],
    [
      'camelCase',
      { notificationType: 'FEED_PROCESSING_FINISHED', notificationMetadata: { notificationId: 'n-2' } },
      { topic: 'FEED_PROCESSING_FINISHED', notificationId: 'n-2' },
    ],
  ])('is known by the id it has in %s', (_, notification, envelope) => {
    expect(envelopeOf(JSON.stringify(notification), 'm-1')).toEqual(envelope);
  });
});

describe('the result of a cancellation', () => {
  const xml = (failed: number, ...results: string[]) =>
    `<ProcessingReport><ProcessingSummary><MessagesWithError>${failed}</MessagesWithError></ProcessingSummary>${results.join('')}</ProcessingReport>`;
  const result = (code: string, text: string) =>
    `<Result><MessageID>1</MessageID><ResultCode>${code}</ResultCode><ResultDescription>${text}</ResultDescription></Result>`;

  it.each<[string, string, string | undefined]>([
    ['without errors is none', xml(0, result('Warning', 'late')), undefined],
    [
      'with an error gives its text',
      xml(1, result('Warning', 'late'), result('Error', 'It was shipped.')),
      'Amazon refuses it: It was shipped.',
    ],
    ['with an error that says nothing', xml(1), 'Amazon refuses it and gives no reason'],
  ])('%s', (_, report, expected) => {
    expect(errorIn(report)).toBe(expected);
  });
});
