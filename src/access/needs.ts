import { SetMetadata } from '@nestjs/common';
import type { Scope } from './scopes';

export const NEEDED_SCOPE = 'onhand:scope';
export const OPEN_ROUTE = 'onhand:open';

/** The scope a route or controller needs, or scopes of which one is enough. A route that names none needs `admin`. */
export const Needs = (...anyOf: readonly [Scope, ...Scope[]]) => SetMetadata(NEEDED_SCOPE, anyOf);

/** A route that anybody may call: health, or a webhook that proves itself by its signature. */
export const Open = () => SetMetadata(OPEN_ROUTE, true);
