import { badRequest, membersOf } from './api-call';

/** One entry of the attribute `fulfillment_availability`, with whatever a seller keeps beside the quantity. */
export type Availability = Record<string, unknown> & { fulfillment_channel_code: string };

export interface Issue {
  code: string;
  message: string;
  severity: 'ERROR' | 'WARNING';
  attributeNames?: string[];
  categories: string[];
}

export const AVAILABILITY = 'fulfillment_availability';
const OPERATIONS = ['add', 'replace', 'merge', 'delete'];
/** Attributes that the product type `PRODUCT` has for everything; a simulated shop needs to know no more. */
const KNOWN_ATTRIBUTES = [AVAILABILITY, 'purchasable_offer', 'condition_type', 'item_name', 'list_price'];
const CHANNELS = /^(?:DEFAULT|AMAZON_(?:NA|EU|JP|IN|AU|SG|AE|SA|EG|TR|ZA)|[A-Z0-9_]*[a-z0-9-]{8,})$/;

/** A patch as it came, once it is known to have the form of one. */
export interface Patch {
  op: 'add' | 'replace' | 'merge' | 'delete';
  attribute: string;
  value: Record<string, unknown>[];
}

/**
 * The patches of a `ListingsItemPatchRequest`, or of a message of a feed. Throws `ApiRefusal` on what the call
 * refuses as a whole; what is wrong with an attribute is an issue, under 200.
 */
export function patchesIn(body: unknown): Patch[] {
  const { productType, patches } = membersOf(body);
  if (typeof productType !== 'string' || productType === '') throw badRequest('productType is required.');
  if (!Array.isArray(patches) || patches.length === 0) throw badRequest('patches must not be empty.');
  return patches.map(patchOf);
}

function patchOf(given: unknown): Patch {
  const { op, path, value = [] } = membersOf(given);
  if (typeof op !== 'string' || !OPERATIONS.includes(op)) {
    throw badRequest(`op must be one of ${OPERATIONS.join(', ')}.`);
  }
  const attribute = typeof path === 'string' ? /^\/attributes\/([^/]+)$/.exec(path)?.[1] : undefined;
  // https://developer-docs.amazon.com/sp-api/docs/listings-items-api-v2021-08-01-use-case-guide
  if (attribute === undefined) throw badRequest('Only top-level attributes can be patched.');
  if (!Array.isArray(value) || value.some((each) => Object.keys(membersOf(each)).length === 0)) {
    throw badRequest('value must be a list of objects.');
  }
  const entries = value.map(membersOf);
  if (attribute === AVAILABILITY && entries.some((entry) => entry.fulfillment_channel_code === undefined)) {
    throw badRequest('fulfillment_channel_code is required.');
  }
  return { op: op as Patch['op'], attribute, value: entries };
}

/** What is wrong with the attributes that patches name; empty where the submission is accepted. */
export function issuesOf(patches: readonly Patch[]): Issue[] {
  const unknown = patches.filter(({ attribute }) => !KNOWN_ATTRIBUTES.includes(attribute));
  const wrong = patches.filter(({ attribute, op, value }) => {
    if (attribute !== AVAILABILITY || op === 'delete') return false;
    return value.length === 0 || !value.every(isAvailability);
  });
  return [...unknown, ...wrong].map(({ attribute }) => invalidAttribute(attribute));
}

/**
 * The attribute after patches: `merge` changes the entry of the same channel and leaves its other fields and the
 * other channels, `add` and `replace` set the whole attribute, `delete` takes it away.
 */
export function patched(current: readonly Availability[], patches: readonly Patch[]): Availability[] {
  let entries = [...current];
  for (const { op, attribute, value } of patches) {
    if (attribute !== AVAILABILITY) continue;
    if (op === 'delete') entries = [];
    else if (op === 'merge') entries = merged(entries, value as Availability[]);
    else entries = value as Availability[];
  }
  return entries;
}

/** The quantity that an attribute asks for on the seller's own channel; undefined where it asks for none. */
export function submittedQuantity(entries: readonly Availability[]): number | undefined {
  const own = entries.find((entry) => entry.fulfillment_channel_code === 'DEFAULT');
  return typeof own?.quantity === 'number' ? own.quantity : undefined;
}

/** The code with which Amazon refuses an attribute that it does not know, or not like that. */
export function invalidAttribute(attribute: string): Issue {
  return {
    code: '90000900',
    message: 'The attributes are invalid.',
    severity: 'ERROR',
    attributeNames: [attribute],
    categories: ['INVALID_ATTRIBUTE'],
  };
}

export function unknownSku(): Issue {
  return {
    code: '13013',
    message: 'This SKU does not exist in the Amazon catalog. Your inventory data was not processed.',
    severity: 'ERROR',
    categories: [],
  };
}

function merged(current: readonly Availability[], value: readonly Availability[]): Availability[] {
  const changes = new Map(value.map((entry) => [entry.fulfillment_channel_code, entry]));
  const kept = current.map((entry) => {
    const change = changes.get(entry.fulfillment_channel_code);
    changes.delete(entry.fulfillment_channel_code);
    return change ? { ...entry, ...change } : entry;
  });
  return [...kept, ...changes.values()];
}

function isAvailability({ fulfillment_channel_code: code, quantity }: Record<string, unknown>): boolean {
  const isQuantity =
    quantity === undefined ||
    (typeof quantity === 'number' && Number.isSafeInteger(quantity) && quantity >= 0);
  return typeof code === 'string' && CHANNELS.test(code) && isQuantity;
}
