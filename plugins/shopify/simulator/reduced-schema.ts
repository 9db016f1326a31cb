/**
 * What the plugin uses of the Admin API, written by hand after its reference
 * (shopify.dev/docs/api/admin-graphql). Every type, field and argument of it is in the official schemas of 2026-07
 * and 2026-10 with the same name and type, which schema.spec.ts checks where those are at hand.
 */
export const REDUCED_SCHEMA = `
  directive @idempotent(key: String!) on FIELD

  schema { query: QueryRoot mutation: Mutation }

  scalar DateTime
  scalar Money
  scalar UnsignedInt64
  scalar URL

  interface Node { id: ID! }
  interface DisplayableError { field: [String!] message: String! }

  type QueryRoot {
    bulkOperation(id: ID!): BulkOperation
    currentAppInstallation: AppInstallation!
    job(id: ID!): Job
    location(id: ID): Location
    locations(after: String, before: String, first: Int, last: Int, reverse: Boolean = false): LocationConnection!
    nodes(ids: [ID!]!): [Node]!
    order(id: ID!): Order
    orders(after: String, before: String, first: Int, last: Int, query: String, reverse: Boolean = false, sortKey: OrderSortKeys = PROCESSED_AT): OrderConnection!
    productVariants(after: String, before: String, first: Int, last: Int, query: String, reverse: Boolean = false): ProductVariantConnection!
    productVariantsCount(limit: Int = 10000, query: String): Count
    shop: Shop!
    webhookSubscriptions(after: String, before: String, first: Int, last: Int, reverse: Boolean = false, topics: [WebhookSubscriptionTopic!], uri: String): WebhookSubscriptionConnection!
  }

  type Mutation {
    bulkOperationRunQuery(groupObjects: Boolean! = false, query: String!): BulkOperationRunQueryPayload
    inventoryActivate(available: Int, inventoryItemId: ID!, locationId: ID!): InventoryActivatePayload
    inventorySetQuantities(input: InventorySetQuantitiesInput!): InventorySetQuantitiesPayload
    orderCancel(
      notifyCustomer: Boolean = false
      orderId: ID!
      reason: OrderCancelReason!
      refund: Boolean
      refundMethod: OrderCancelRefundMethodInput
      restock: Boolean!
      staffNote: String = null
    ): OrderCancelPayload
    refundCreate(input: RefundInput!): RefundCreatePayload
    webhookSubscriptionCreate(topic: WebhookSubscriptionTopic!, webhookSubscription: WebhookSubscriptionInput!): WebhookSubscriptionCreatePayload
    webhookSubscriptionUpdate(id: ID!, webhookSubscription: WebhookSubscriptionInput!): WebhookSubscriptionUpdatePayload
  }

  type PageInfo { endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String }
  type UserError implements DisplayableError { field: [String!] message: String! }
  type Count { count: Int! precision: CountPrecision! }
  enum CountPrecision { AT_LEAST EXACT }
  type MoneyBag { presentmentMoney: MoneyV2! }
  type MoneyV2 { amount: Decimal! }
  scalar Decimal
  enum CurrencyCode { USD }

  type Shop implements Node { id: ID! myshopifyDomain: String! name: String! }
  type AppInstallation implements Node { accessScopes: [AccessScope!]! id: ID! }
  type AccessScope { handle: String! }

  type Location implements Node {
    id: ID!
    inventoryLevels(after: String, before: String, first: Int, last: Int, reverse: Boolean = false): InventoryLevelConnection!
    name: String!
  }
  type LocationConnection { edges: [LocationEdge!]! nodes: [Location!]! pageInfo: PageInfo! }
  type LocationEdge { cursor: String! node: Location! }

  type InventoryItem implements Node {
    id: ID!
    inventoryLevel(locationId: ID!): InventoryLevel
    sku: String
    variant: ProductVariant!
  }

  type InventoryLevel implements Node {
    id: ID!
    item: InventoryItem!
    quantities(names: [String!]!): [InventoryQuantity!]!
  }
  type InventoryLevelConnection { edges: [InventoryLevelEdge!]! nodes: [InventoryLevel!]! pageInfo: PageInfo! }
  type InventoryLevelEdge { cursor: String! node: InventoryLevel! }
  type InventoryQuantity implements Node { id: ID! name: String! quantity: Int! }

  type ProductVariant implements Node {
    barcode: String
    displayName: String!
    id: ID!
    inventoryItem: InventoryItem!
    sku: String
  }
  type ProductVariantConnection { edges: [ProductVariantEdge!]! nodes: [ProductVariant!]! pageInfo: PageInfo! }
  type ProductVariantEdge { cursor: String! node: ProductVariant! }

  input InventorySetQuantitiesInput {
    name: String!
    quantities: [InventoryQuantityInput!]!
    reason: String!
    referenceDocumentUri: String
  }
  input InventoryQuantityInput { changeFromQuantity: Int inventoryItemId: ID! locationId: ID! quantity: Int! }
  type InventorySetQuantitiesPayload {
    inventoryAdjustmentGroup: InventoryAdjustmentGroup
    userErrors: [InventorySetQuantitiesUserError!]!
  }
  type InventoryAdjustmentGroup implements Node { id: ID! }
  type InventorySetQuantitiesUserError implements DisplayableError {
    code: InventorySetQuantitiesUserErrorCode
    field: [String!]
    message: String!
  }
  enum InventorySetQuantitiesUserErrorCode {
    CHANGE_FROM_QUANTITY_STALE
    IDEMPOTENCY_CONCURRENT_REQUEST
    IDEMPOTENCY_KEY_PARAMETER_MISMATCH
    IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED
    INVALID_INVENTORY_ITEM
    INVALID_LOCATION
    INVALID_NAME
    INVALID_QUANTITY_NEGATIVE
    INVALID_QUANTITY_TOO_HIGH
    INVALID_QUANTITY_TOO_LOW
    INVALID_REASON
    INVALID_REFERENCE_DOCUMENT
    ITEM_NOT_STOCKED_AT_LOCATION
    NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR
  }
  type InventoryActivatePayload { inventoryLevel: InventoryLevel userErrors: [UserError!]! }
` as const;
