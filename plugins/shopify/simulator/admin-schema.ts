import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { REDUCED_ORDER_SCHEMA } from './reduced-order-schema';
import { REDUCED_SCHEMA } from './reduced-schema';

const built = new Map<string, GraphQLSchema>();

/**
 * The schema that calls are executed against: the official one of this version where `contracts`, a folder with
 * the vendors' own files, has it, and the reduced one otherwise.
 */
export function adminSchema(apiVersion: string, contracts?: string): GraphQLSchema {
  const file = contracts && officialFile(contracts, apiVersion);
  const name = file && existsSync(file) ? file : 'reduced';
  const known = built.get(name);
  if (known) return known;
  const text = name === 'reduced' ? REDUCED_SCHEMA + REDUCED_ORDER_SCHEMA : readFileSync(name, 'utf8');
  const schema = buildSchema(text, { noLocation: true, assumeValidSDL: name !== 'reduced' });
  built.set(name, schema);
  return schema;
}

export function officialFile(contracts: string, apiVersion: string): string {
  return join(contracts, 'shopify/admin-graphql', `admin_${apiVersion}.printed.graphql`);
}
