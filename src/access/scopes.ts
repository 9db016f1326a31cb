import { SetMetadata } from '@nestjs/common';

/** What an API key may do; `admin` may do everything. */
export const SCOPES = [
  'admin',
  'stock:read',
  'stock:write',
  'reservations:write',
  'channels:read',
  'channels:write',
] as const;

export type Scope = (typeof SCOPES)[number];

export const NEEDED_SCOPE = 'onhand:scope';
export const OPEN_ROUTE = 'onhand:open';

/** The scope a route or controller needs, or scopes of which one is enough. A route that names none needs `admin`. */
export const Needs = (...anyOf: readonly [Scope, ...Scope[]]) => SetMetadata(NEEDED_SCOPE, anyOf);

/** A route that anybody may call: health, or a webhook that proves itself by its signature. */
export const Open = () => SetMetadata(OPEN_ROUTE, true);
