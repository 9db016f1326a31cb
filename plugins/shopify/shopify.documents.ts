/**
 * Every GraphQL document that the plugin sends. They are valid in 2026-07 and in 2026-10, which the contract
 * specs check against the official schemas.
 */

/** What of an inventory level says which SKU it is, and what is shown of it. */
const LEVEL_FIELDS = `
  id
  quantities(names: ["available"]) { name quantity }
  item { id sku variant { id displayName barcode } }`;

/** Where an order stands: its lines, and all that was shipped, refunded and routed of them. */
const ORDER_STATE = `
  fragment OrderState on Order {
    id createdAt updatedAt cancelledAt test sourceName
    retailLocation { id }
    lineItems(first: $lines) {
      nodes {
        id sku quantity currentQuantity unfulfilledQuantity
        variant { id barcode }
      }
      pageInfo { hasNextPage }
    }
    fulfillments {
      status
      location { id }
      fulfillmentLineItems(first: $lines) {
        nodes { quantity lineItem { id } }
        pageInfo { hasNextPage }
      }
    }
    refunds {
      note
      refundLineItems(first: $lines) {
        nodes { quantity restockType lineItem { id } }
        pageInfo { hasNextPage }
      }
    }
    fulfillmentOrders(first: 20) @include(if: $assigned) {
      nodes {
        status
        assignedLocation { location { id } }
        lineItems(first: $lines) {
          nodes { totalQuantity remainingQuantity lineItem { id } }
          pageInfo { hasNextPage }
        }
      }
      pageInfo { hasNextPage }
    }
  }`;

export const DOCUMENTS = {
  /** At most 250 rows; all of them or none are set. */
  SetQuantities: `
    mutation SetQuantities($input: InventorySetQuantitiesInput!, $key: String!) {
      inventorySetQuantities(input: $input) @idempotent(key: $key) {
        inventoryAdjustmentGroup { id }
        userErrors { code field message }
      }
    }`,

  /** Has a location stock an item, at a quantity. */
  ActivateItem: `
    mutation ActivateItem($item: ID!, $location: ID!, $available: Int!, $key: String!) {
      inventoryActivate(inventoryItemId: $item, locationId: $location, available: $available) @idempotent(key: $key) {
        inventoryLevel { id }
        userErrors { field message }
      }
    }`,

  /** What items show at one location; a null level is an item that the location does not stock. */
  LevelsAt: `
    query LevelsAt($items: [ID!]!, $location: ID!) {
      nodes(ids: $items) {
        ... on InventoryItem {
          id
          inventoryLevel(locationId: $location) { id quantities(names: ["available"]) { name quantity } }
        }
      }
    }`,

  /** Variants by a search such as \`sku:"A-1" OR sku:"A-2"\`. */
  Variants: `
    query Variants($query: String!, $first: Int!, $after: String) {
      productVariants(query: $query, first: $first, after: $after) {
        nodes { id sku barcode displayName inventoryItem { id } }
        pageInfo { hasNextPage endCursor }
      }
    }`,

  Locations: `
    query Locations($first: Int!, $after: String) {
      locations(first: $first, after: $after) {
        nodes { id name }
        pageInfo { hasNextPage endCursor }
      }
    }`,

  LocationLevels: `
    query LocationLevels($location: ID!, $first: Int!, $after: String) {
      location(id: $location) {
        inventoryLevels(first: $first, after: $after) {
          nodes {${LEVEL_FIELDS}
          }
          pageInfo { hasNextPage endCursor }
        }
      }
    }`,

  CatalogueSize: `
    query CatalogueSize($limit: Int) {
      productVariantsCount(limit: $limit) { count precision }
    }`,

  RunBulkQuery: `
    mutation RunBulkQuery($query: String!) {
      bulkOperationRunQuery(query: $query, groupObjects: false) {
        bulkOperation { id status }
        userErrors { code field message }
      }
    }`,

  BulkOperation: `
    query BulkOperation($id: ID!) {
      bulkOperation(id: $id) { id status errorCode url fileSize }
    }`,

  Orders: `
    query Orders($query: String, $first: Int!, $after: String, $lines: Int!, $assigned: Boolean!, $returns: Boolean!) {
      orders(query: $query, first: $first, after: $after, sortKey: UPDATED_AT) {
        nodes {
          ...OrderState
          returns(first: 1) @include(if: $returns) { nodes { id } }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
    ${ORDER_STATE}`,

  /** With what came back, which costs too much to be asked for of every order. */
  Order: `
    query Order($id: ID!, $lines: Int!, $assigned: Boolean!, $returns: Boolean!) {
      order(id: $id) {
        ...OrderState
        returns(first: 10) @include(if: $returns) {
          nodes {
            reverseFulfillmentOrders(first: 5) {
              nodes {
                lineItems(first: $lines) {
                  nodes { fulfillmentLineItem { lineItem { id } } dispositions { type quantity } }
                  pageInfo { hasNextPage }
                }
              }
              pageInfo { hasNextPage }
            }
          }
          pageInfo { hasNextPage }
        }
      }
    }
    ${ORDER_STATE}`,

  /** What it takes to give back the money of some units, which Shopify reckons itself. */
  SuggestedRefund: `
    query SuggestedRefund($id: ID!, $refundLines: [RefundLineItemInput!]!) {
      order(id: $id) {
        presentmentCurrencyCode
        suggestedRefund(refundLineItems: $refundLines, refundShipping: false) {
          suggestedTransactions {
            gateway
            parentTransaction { id }
            amountSet { presentmentMoney { amount } }
          }
        }
      }
    }`,

  CreateRefund: `
    mutation CreateRefund($input: RefundInput!, $key: String!) {
      refundCreate(input: $input) @idempotent(key: $key) {
        refund { id }
        userErrors { field message }
      }
    }`,

  CancelOrder: `
    mutation CancelOrder($id: ID!, $staffNote: String, $notify: Boolean!) {
      orderCancel(
        orderId: $id
        reason: INVENTORY
        restock: false
        refundMethod: { originalPaymentMethodsRefund: true }
        notifyCustomer: $notify
        staffNote: $staffNote
      ) {
        job { id done }
        orderCancelUserErrors { code field message }
      }
    }`,

  Job: `
    query Job($id: ID!) {
      job(id: $id) { id done }
    }`,

  WebhookSubscriptions: `
    query WebhookSubscriptions($first: Int!, $after: String) {
      webhookSubscriptions(first: $first, after: $after) {
        nodes { id topic uri }
        pageInfo { hasNextPage endCursor }
      }
    }`,

  CreateSubscription: `
    mutation CreateSubscription($topic: WebhookSubscriptionTopic!, $uri: String!) {
      webhookSubscriptionCreate(topic: $topic, webhookSubscription: { uri: $uri, format: JSON }) {
        webhookSubscription { id }
        userErrors { field message }
      }
    }`,

  MoveSubscription: `
    mutation MoveSubscription($id: ID!, $uri: String!) {
      webhookSubscriptionUpdate(id: $id, webhookSubscription: { uri: $uri }) {
        webhookSubscription { id }
        userErrors { field message }
      }
    }`,

  Access: `
    query Access {
      shop { name myshopifyDomain }
      currentAppInstallation { accessScopes { handle } }
    }`,
} as const;

export type DocumentName = keyof typeof DOCUMENTS;

/**
 * Run by a bulk operation: every level of every location, one line of JSON each, which says all of itself but
 * its location. That is the line's `__parentId`.
 */
export const BULK_LEVELS = `
  {
    locations {
      edges {
        node {
          id
          inventoryLevels {
            edges {
              node {${LEVEL_FIELDS}
              }
            }
          }
        }
      }
    }
  }`;
