import { Problem } from '../http/problem';
import type { CatalogService } from './catalog.service';
import type { ExceedingLine, Refusal, ShortLine } from './refusal';

/** A refusal as the API tells it: with codes for ids, and what to do next. */
export function problemOfRefusal(refusal: Refusal, catalog: CatalogService): Problem {
  switch (refusal.code) {
    case 'insufficient-stock': {
      const lines = refusal.lines.map((line) => shortLine(line, catalog));
      const named = lines
        .map((line) => `${line.sku}: ${line.available} available of ${line.requested}`)
        .join('; ');
      return new Problem(refusal.code, `not enough stock for ${lines.length} line(s): ${named}`, { lines });
    }
    case 'insufficient-state': {
      const { state, needed, present } = refusal;
      return new Problem(
        refusal.code,
        `${needed} units of ${state} are needed and ${Math.max(0, present)} can be taken`,
        { state, needed, present },
      );
    }
    case 'quantity-too-large':
      return new Problem(refusal.code, `no state of a level may hold more than ${refusal.limit} units`, {
        limit: refusal.limit,
      });
    case 'reservation-not-found':
      return new Problem('not-found', 'no such reservation');
    case 'reservation-expired':
      return new Problem(refusal.code, 'the hold ran out and its units were given back; reserve again');
    case 'reservation-closed':
      return new Problem(refusal.code, `the reservation is ${refusal.state}`, { state: refusal.state });
    case 'reservation-held':
      return new Problem(refusal.code, 'confirm the hold before fulfilling it');
    case 'exceeds-reservation': {
      const lines = refusal.lines.map((line) => exceedingLine(line, catalog));
      const named = lines.map((line) => `${line.sku}: ${line.open} open of ${line.requested}`).join('; ');
      return new Problem(refusal.code, `more than the reservation has open: ${named}`, { lines });
    }
    case 'order-outdated':
      return new Problem(refusal.code, `revision ${refusal.revision} is already known`, {
        revision: refusal.revision,
      });
  }
}

function shortLine({ line, skuId, locationId, requested, available }: ShortLine, catalog: CatalogService) {
  return { line, sku: catalog.skuCode(skuId), location: codeOf(locationId, catalog), requested, available };
}

function exceedingLine({ skuId, locationId, requested, open }: ExceedingLine, catalog: CatalogService) {
  return { sku: catalog.skuCode(skuId), location: codeOf(locationId, catalog), requested, open };
}

function codeOf(locationId: number | undefined, catalog: CatalogService): string | undefined {
  return locationId === undefined ? undefined : catalog.locationCode(locationId);
}
