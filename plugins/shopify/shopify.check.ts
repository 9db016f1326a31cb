import { type CheckResult, isChannelError } from 'onhand/channel-api';
import type { ShopifyClient } from './shopify.client';
import type { InventoryReader } from './shopify.inventory';
import type { ShopifyOptions } from './shopify.options';

interface Access {
  shop: { name: string; myshopifyDomain: string };
  currentAppInstallation: { accessScopes: { handle: string }[] };
}

type Finding = CheckResult['findings'][number];

/** What a scope is needed for, as the operator knows it. https://shopify.dev/docs/api/usage/access-scopes */
function scopesNeeded({ returns, orderLocations }: ShopifyOptions): Record<string, string> {
  return {
    read_products: 'to find variants by SKU or barcode',
    write_inventory: 'to push quantities',
    read_locations: 'to know the locations that stock is kept at',
    write_orders: 'to read orders, and to cancel what cannot be sent',
    ...(returns ? { read_returns: 'to see what came back; or set options.returns to false' } : {}),
    ...(orderLocations === 'assigned'
      ? { read_merchant_managed_fulfillment_orders: 'to see which location an order is routed to' }
      : {}),
  };
}

/** Proves credentials, scopes, version and locations: one finding each, with what to do. Never throws a channel error. */
export async function check(
  client: ShopifyClient,
  inventory: InventoryReader,
  options: ShopifyOptions,
): Promise<CheckResult> {
  const findings: Finding[] = [];
  try {
    const { data, headers } = await client.runWithHeaders<Access>('Access');
    findings.push(...accessFindings(data, options), versionFinding(headers, options));
    findings.push(await locationsFinding(inventory, options));
  } catch (error) {
    if (!isChannelError(error)) throw error;
    findings.push({ ok: false, message: error.message });
  }
  return { ok: findings.every(({ ok }) => ok), findings };
}

function accessFindings({ shop, currentAppInstallation }: Access, options: ShopifyOptions): Finding[] {
  const granted = new Set(currentAppInstallation.accessScopes.map(({ handle }) => handle));
  // Whoever may write may read.
  const has = (scope: string) => granted.has(scope) || granted.has(scope.replace(/^read_/, 'write_'));
  const missing = Object.entries(scopesNeeded(options)).filter(([scope]) => !has(scope));
  const isShop = shop.myshopifyDomain === options.shop;
  return [
    isShop
      ? { ok: true, message: `the shop ${shop.name} answers, and takes the credentials` }
      : {
          ok: false,
          message: `the credentials are for the shop ${shop.myshopifyDomain}, options.shop says ${options.shop}`,
        },
    ...missing.map(([scope, why]) => ({
      ok: false,
      message: `the scope ${scope} is missing, which it takes ${why}; add it to the app's version, release that, and approve it in the shop`,
    })),
    ...(missing.length === 0 ? [{ ok: true, message: 'the app has every scope it needs' }] : []),
    granted.has('read_all_orders')
      ? { ok: true, message: 'orders of any age can be read' }
      : {
          ok: true,
          message: 'orders of the last 60 days can be read; older ones need the scope read_all_orders',
        },
  ];
}

/** Shopify answers in the oldest version that it still supports where it does not know the one that was asked for. */
function versionFinding(headers: Record<string, string>, { apiVersion }: ShopifyOptions): Finding {
  const served = headers['x-shopify-api-version'] ?? apiVersion;
  return served === apiVersion
    ? { ok: true, message: `the API answers in version ${apiVersion}` }
    : {
        ok: false,
        message: `the API answers in version ${served}; set options.apiVersion to a version it supports`,
      };
}

async function locationsFinding(
  inventory: InventoryReader,
  { orderLocations }: ShopifyOptions,
): Promise<Finding> {
  const locations = await inventory.locations();
  if (locations.length === 0)
    return { ok: false, message: 'the shop has no active location; add one in its admin' };
  const fixed = /^\d+$/.test(orderLocations) ? orderLocations : undefined;
  if (fixed !== undefined && !locations.some(({ id }) => id === fixed))
    return {
      ok: false,
      message: `options.orderLocations is ${fixed}, which is no active location of the shop`,
    };
  const named = locations.slice(0, 10).map(({ id, name }) => `${id} (${name})`);
  return {
    ok: true,
    message: `locations to map in channels[].locations: ${named.join(', ')}${locations.length > 10 ? ' and more' : ''}`,
  };
}
