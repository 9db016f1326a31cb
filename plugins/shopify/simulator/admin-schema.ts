import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { REDUCED_ORDER_SCHEMA } from './reduced-order-schema';
import { REDUCED_SCHEMA } from './reduced-schema';

/** Quantities can be set at any location from here on (shopify.dev/changelog/removal-of-itemnotstockedatlocation-error). */
export const STOCKS_ANYWHERE_SINCE = '2026-10';

const built = new Map<string, GraphQLSchema>();

/**
 * The schema that calls are executed against: the official one of this version where `contracts`, a folder with
 * the vendors' own files, has it, and the reduced one otherwise.
 */
export function adminSchema(apiVersion: string, contracts?: string): GraphQLSchema {
  const file = contracts && officialFile(contracts, apiVersion);
  const isOfficial = file !== undefined && file !== '' && existsSync(file);
  const name = isOfficial ? file : apiVersion;
  const known = built.get(name);
  if (known) return known;
  const text = isOfficial ? readFileSync(file, 'utf8') : reducedSchema(apiVersion);
  const schema = buildSchema(text, { noLocation: true, assumeValidSDL: isOfficial });
  built.set(name, schema);
  return schema;
}

function reducedSchema(apiVersion: string): string {
  const text = REDUCED_SCHEMA + REDUCED_ORDER_SCHEMA;
  return apiVersion < STOCKS_ANYWHERE_SINCE ? text : text.replace('ITEM_NOT_STOCKED_AT_LOCATION', '');
}

export function officialFile(contracts: string, apiVersion: string): string {
  return join(contracts, 'shopify/admin-graphql', `admin_${apiVersion}.printed.graphql`);
}
