import { lineOf, orderOf } from './ebay.fixtures';
import { translateItem, translateOrder, translateShipments, unreadableItem } from './ebay.translate';

const [line] = translateOrder(orderOf()).lines;

describe('an order', () => {
  it('is its ids, times and lines, with the time of its last change as the revision', () => {
    expect(translateOrder(orderOf())).toEqual({
      kind: 'order',
      orderId: '11-00001-00001',
      revision: Date.parse('2026-02-28T10:00:00.000Z'),
      placedAt: '2026-02-28T09:00:00.000Z',
      updatedAt: '2026-02-28T10:00:00.000Z',
      lines: [{ lineId: '10001', channelSku: 'A', ordered: 2, cancelled: 0, fulfilled: 0, returned: 0 }],
    });
  });

  it.each([
    ['not shipped', {}, {}, { fulfilled: 0 }],
    ['shipped', { lineItemFulfillmentStatus: 'FULFILLED' }, {}, { fulfilled: 2 }],
    [
      'shipped in part',
      { lineItemFulfillmentStatus: 'IN_PROGRESS' },
      { shipped: new Map([['10001', 1]]) },
      { fulfilled: 1 },
    ],
    ['in progress without shipments', { lineItemFulfillmentStatus: 'IN_PROGRESS' }, {}, { fulfilled: 0 }],
    [
      'come back',
      { lineItemFulfillmentStatus: 'FULFILLED' },
      { returned: new Map([['10001', 1]]) },
      { fulfilled: 2, returned: 1 },
    ],
    [
      'come back more often than it went',
      { lineItemFulfillmentStatus: 'FULFILLED' },
      { returned: new Map([['10001', 9]]) },
      { fulfilled: 2, returned: 2 },
    ],
  ])('a line that is %s', (_, fields, facts, counts) => {
    const { lines } = translateOrder(orderOf({ lines: [lineOf(fields)] }), facts);
    expect(lines).toEqual([{ ...line, ...counts }]);
  });

  it.each([
    ['CANCELED', 'NOT_STARTED', 2],
    ['CANCELED', 'FULFILLED', 0],
    ['IN_PROGRESS', 'NOT_STARTED', 0],
    ['NONE_REQUESTED', 'NOT_STARTED', 0],
  ])('whose cancelState is %s with a line %s has %i units cancelled', (cancelState, status, cancelled) => {
    const lines = [lineOf({ lineItemFulfillmentStatus: status })];
    expect(translateOrder(orderOf({ cancelState, lines })).lines[0]).toMatchObject({ cancelled });
  });

  it.each([
    [{ sku: 'A' }, 'A'],
    [{ sku: undefined }, '110000000001'],
    [{ sku: '', legacyVariationId: '510' }, '110000000001/510'],
    [{ sku: undefined, legacyVariationId: '0' }, '110000000001'],
    [{ sku: undefined, legacyItemId: 110000000001 }, '110000000001'],
  ])('a line of a legacy listing is named by the listing: %j → %s', (fields, channelSku) => {
    expect(translateOrder(orderOf({ lines: [lineOf(fields)] })).lines[0]).toMatchObject({ channelSku });
  });

  it.each([
    ['creationDate', { ...orderOf(), creationDate: 'the day before yesterday' }],
    ['lastModifiedDate', { ...orderOf(), lastModifiedDate: undefined }],
    ['orderId', { ...orderOf(), orderId: {} }],
    ['lineItems', { ...orderOf(), lineItems: 'several' }],
    ['lineItems[0]', { ...orderOf(), lineItems: [null] }],
    ['lineItems[0].quantity', orderOf({ lines: [lineOf({ quantity: '2' })] })],
    [
      'lineItems[0].lineItemFulfillmentStatus',
      orderOf({ lines: [lineOf({ lineItemFulfillmentStatus: 'SOON' })] }),
    ],
    ['lineItems[0].legacyItemId', orderOf({ lines: [lineOf({ sku: undefined, legacyItemId: undefined })] })],
    ['same lineItemId', orderOf({ lines: [lineOf(), lineOf()] })],
    ['the order', null],
  ])('that is not what eBay documents is told by its field: %s', (field, order) => {
    expect(() => translateOrder(order)).toThrow(field);
    expect(() => translateOrder(order)).not.toThrow(/yesterday|several|SOON/);
  });

  it('set aside for a person says nothing of its buyer', () => {
    const order = { ...orderOf({ lines: [lineOf({ deliveryAddress: 'Somewhere 1' })] }), creationDate: 'x' };
    const { id, body } = unreadableItem(order, 'orderId', new Error('creationDate must be a time'));
    expect(id).toBe('11-00001-00001');
    expect(body).toContain('10001');
    expect(body).not.toMatch(/somebody_who_buys|Somewhere|title|20\.00/);
  });
});

it('shipments add up by line item, and one without a quantity is one unit', () => {
  const fulfillments = [
    { lineItems: [{ lineItemId: '1', quantity: 2 }, { lineItemId: '2' }] },
    { lineItems: [{ lineItemId: '1', quantity: 1 }] },
  ];
  expect([...translateShipments({ fulfillments })]).toEqual([
    ['1', 3],
    ['2', 1],
  ]);
});

describe('an item', () => {
  const item = (quantity: unknown, product: object = {}) => ({
    sku: 'A',
    product,
    availability: { shipToLocationAvailability: { quantity } },
  });

  it.each([
    [
      item(3, { title: 'A thing', ean: ['4006381333931'] }),
      { quantityUnits: 3, title: 'A thing', barcode: '4006381333931' },
    ],
    [item(0, { upc: ['012345678905'] }), { quantityUnits: 0, barcode: '012345678905' }],
    [{ sku: 'A' }, { quantityUnits: 0 }],
  ])('%j shows %j', (given, shown) => {
    expect(translateItem(given)).toEqual({ channelSku: 'A', ...shown });
  });

  it.each([[item('plenty')], [item(-1)], [{ ...item(1), sku: undefined }], [[]]])(
    '%j is untranslatable',
    (given) => {
      expect(() => translateItem(given)).toThrow(/quantity|sku|item/);
    },
  );
});
