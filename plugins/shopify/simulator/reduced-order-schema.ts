/** Orders, bulk operations and webhooks: the other half of the reduced schema, by the same rules. */
export const REDUCED_ORDER_SCHEMA = `
  type Order implements Node {
    cancelledAt: DateTime
    createdAt: DateTime!
    fulfillmentOrders(after: String, before: String, first: Int, last: Int, reverse: Boolean = false): FulfillmentOrderConnection!
    fulfillments(first: Int): [Fulfillment!]!
    id: ID!
    lineItems(after: String, before: String, first: Int, last: Int, reverse: Boolean = false): LineItemConnection!
    presentmentCurrencyCode: CurrencyCode!
    refunds(first: Int): [Refund!]!
    retailLocation: Location
    returns(after: String, before: String, first: Int, last: Int, reverse: Boolean = false): ReturnConnection!
    sourceName: String
    suggestedRefund(refundLineItems: [RefundLineItemInput!], refundShipping: Boolean): SuggestedRefund
    test: Boolean!
    updatedAt: DateTime!
  }
  type OrderConnection { edges: [OrderEdge!]! nodes: [Order!]! pageInfo: PageInfo! }
  type OrderEdge { cursor: String! node: Order! }
  enum OrderSortKeys { CREATED_AT ID PROCESSED_AT UPDATED_AT }

  type LineItem implements Node {
    currentQuantity: Int!
    id: ID!
    quantity: Int!
    sku: String
    unfulfilledQuantity: Int!
    variant: ProductVariant
  }
  type LineItemConnection { edges: [LineItemEdge!]! nodes: [LineItem!]! pageInfo: PageInfo! }
  type LineItemEdge { cursor: String! node: LineItem! }

  type FulfillmentOrder implements Node {
    assignedLocation: FulfillmentOrderAssignedLocation!
    id: ID!
    lineItems(after: String, before: String, first: Int, last: Int, reverse: Boolean = false): FulfillmentOrderLineItemConnection!
    status: FulfillmentOrderStatus!
  }
  type FulfillmentOrderConnection { edges: [FulfillmentOrderEdge!]! nodes: [FulfillmentOrder!]! pageInfo: PageInfo! }
  type FulfillmentOrderEdge { cursor: String! node: FulfillmentOrder! }
  type FulfillmentOrderAssignedLocation { location: Location }
  type FulfillmentOrderLineItem implements Node { id: ID! lineItem: LineItem! remainingQuantity: Int! totalQuantity: Int! }
  type FulfillmentOrderLineItemConnection { edges: [FulfillmentOrderLineItemEdge!]! nodes: [FulfillmentOrderLineItem!]! pageInfo: PageInfo! }
  type FulfillmentOrderLineItemEdge { cursor: String! node: FulfillmentOrderLineItem! }
  enum FulfillmentOrderStatus { CANCELLED CLOSED IN_PROGRESS OPEN }

  type Fulfillment implements Node {
    fulfillmentLineItems(after: String, before: String, first: Int, last: Int, reverse: Boolean = false): FulfillmentLineItemConnection!
    id: ID!
    location: Location
    status: FulfillmentStatus!
  }
  enum FulfillmentStatus { SUCCESS }
  type FulfillmentLineItem implements Node { id: ID! lineItem: LineItem! quantity: Int }
  type FulfillmentLineItemConnection { edges: [FulfillmentLineItemEdge!]! nodes: [FulfillmentLineItem!]! pageInfo: PageInfo! }
  type FulfillmentLineItemEdge { cursor: String! node: FulfillmentLineItem! }

  type Refund implements Node {
    id: ID!
    note: String
    refundLineItems(after: String, before: String, first: Int, last: Int, reverse: Boolean = false): RefundLineItemConnection!
  }
  type RefundLineItem { id: ID lineItem: LineItem! quantity: Int! restockType: RefundLineItemRestockType! }
  type RefundLineItemConnection { edges: [RefundLineItemEdge!]! nodes: [RefundLineItem!]! pageInfo: PageInfo! }
  type RefundLineItemEdge { cursor: String! node: RefundLineItem! }
  enum RefundLineItemRestockType { CANCEL NO_RESTOCK RETURN }

  type Return implements Node {
    id: ID!
    reverseFulfillmentOrders(after: String, before: String, first: Int, last: Int, reverse: Boolean = false): ReverseFulfillmentOrderConnection!
  }
  type ReturnConnection { edges: [ReturnEdge!]! nodes: [Return!]! pageInfo: PageInfo! }
  type ReturnEdge { cursor: String! node: Return! }
  type ReverseFulfillmentOrder implements Node {
    id: ID!
    lineItems(after: String, before: String, first: Int, last: Int, reverse: Boolean = false): ReverseFulfillmentOrderLineItemConnection!
  }
  type ReverseFulfillmentOrderConnection { edges: [ReverseFulfillmentOrderEdge!]! nodes: [ReverseFulfillmentOrder!]! pageInfo: PageInfo! }
  type ReverseFulfillmentOrderEdge { cursor: String! node: ReverseFulfillmentOrder! }
  type ReverseFulfillmentOrderLineItem implements Node {
    dispositions: [ReverseFulfillmentOrderDisposition!]!
    fulfillmentLineItem: FulfillmentLineItem
    id: ID!
  }
  type ReverseFulfillmentOrderLineItemConnection { edges: [ReverseFulfillmentOrderLineItemEdge!]! nodes: [ReverseFulfillmentOrderLineItem!]! pageInfo: PageInfo! }
  type ReverseFulfillmentOrderLineItemEdge { cursor: String! node: ReverseFulfillmentOrderLineItem! }
  type ReverseFulfillmentOrderDisposition implements Node { id: ID! quantity: Int! type: ReverseFulfillmentOrderDispositionType! }
  enum ReverseFulfillmentOrderDispositionType { NOT_RESTOCKED RESTOCKED }

  input RefundInput {
    currency: CurrencyCode
    note: String
    notify: Boolean
    orderId: ID!
    refundLineItems: [RefundLineItemInput!]
    transactions: [OrderTransactionInput!]
  }
  input RefundLineItemInput { lineItemId: ID! locationId: ID quantity: Int! restockType: RefundLineItemRestockType }
  input OrderTransactionInput { amount: Money! gateway: String! kind: OrderTransactionKind! orderId: ID! parentId: ID }
  enum OrderTransactionKind { AUTHORIZATION CAPTURE REFUND SALE }
  type RefundCreatePayload { refund: Refund userErrors: [UserError!]! }
  type SuggestedRefund { suggestedTransactions: [SuggestedOrderTransaction!]! }
  type SuggestedOrderTransaction { amountSet: MoneyBag! gateway: String parentTransaction: OrderTransaction }
  type OrderTransaction implements Node { id: ID! }

  enum OrderCancelReason { CUSTOMER DECLINED FRAUD INVENTORY OTHER STAFF }
  input OrderCancelRefundMethodInput @oneOf { originalPaymentMethodsRefund: Boolean }
  type OrderCancelPayload { job: Job orderCancelUserErrors: [OrderCancelUserError!]! }
  type OrderCancelUserError implements DisplayableError { code: OrderCancelUserErrorCode field: [String!] message: String! }
  enum OrderCancelUserErrorCode { INVALID NOT_FOUND }
  type Job { done: Boolean! id: ID! }

  type BulkOperation implements Node {
    errorCode: BulkOperationErrorCode
    fileSize: UnsignedInt64
    id: ID!
    status: BulkOperationStatus!
    url: URL
  }
  enum BulkOperationStatus { COMPLETED CREATED FAILED RUNNING }
  enum BulkOperationErrorCode { INTERNAL_SERVER_ERROR }
  type BulkOperationRunQueryPayload { bulkOperation: BulkOperation userErrors: [BulkOperationUserError!]! }
  type BulkOperationUserError implements DisplayableError { code: BulkOperationUserErrorCode field: [String!] message: String! }
  enum BulkOperationUserErrorCode { INVALID LIMIT_REACHED }

  type WebhookSubscription implements Node { id: ID! topic: WebhookSubscriptionTopic! uri: String! }
  type WebhookSubscriptionConnection { edges: [WebhookSubscriptionEdge!]! nodes: [WebhookSubscription!]! pageInfo: PageInfo! }
  type WebhookSubscriptionEdge { cursor: String! node: WebhookSubscription! }
  input WebhookSubscriptionInput { callbackUrl: URL format: WebhookSubscriptionFormat uri: String }
  enum WebhookSubscriptionFormat { JSON XML }
  type WebhookSubscriptionCreatePayload { userErrors: [UserError!]! webhookSubscription: WebhookSubscription }
  type WebhookSubscriptionUpdatePayload { userErrors: [UserError!]! webhookSubscription: WebhookSubscription }
  enum WebhookSubscriptionTopic {
    APP_UNINSTALLED
    INVENTORY_LEVELS_UPDATE
    ORDERS_CANCELLED
    ORDERS_CREATE
    ORDERS_EDITED
    ORDERS_FULFILLED
    ORDERS_PARTIALLY_FULFILLED
    ORDERS_UPDATED
    REFUNDS_CREATE
    RETURNS_APPROVE
    RETURNS_CANCEL
    RETURNS_CLOSE
    RETURNS_DECLINE
    RETURNS_PROCESS
    RETURNS_REOPEN
    RETURNS_REQUEST
    RETURNS_UPDATE
  }
`;
