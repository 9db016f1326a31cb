import type { ComponentChildren } from 'preact';
import { linkTo } from '../route';
import { OwnCount } from './basics';
import { type Column, Table } from './table';
import { Ago, duration } from './time';

export type Records = Record<string, unknown>;

/** For the API: a person is shown the names. */
const IDS = ['id', 'listingId', 'oversellId'];

/**
 * Things whose fields are their kind's own: a column for each field, and links where a field names what has a page.
 * `pageOf` says which page one of them has itself; its first field leads there.
 */
export function RecordTable({
  label,
  items,
  pageOf,
}: {
  label: string;
  items: readonly Records[];
  pageOf?: (item: Records) => string | undefined;
}) {
  const told = (name: string) => items.some((item) => item[name] !== null && item[name] !== undefined);
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))].filter(
    (name) => !IDS.includes(name) && told(name),
  );
  const columns: Column<Records>[] = names.map((field, index) => ({
    name: field === 'at' ? 'When' : worded(field),
    heading: index === 0,
    number: items.every((item) => typeof item[field] === 'number'),
    class: items.some((item) => String(item[field] ?? '').length > 40) ? 'long' : undefined,
    of: (item) => {
      const page = index === 0 ? pageOf?.(item) : undefined;
      return page ? <a href={page}>{plain(field, item[field])}</a> : fieldOf(field, item[field], item);
    },
  }));
  return <Table label={label} columns={columns} items={items} keyOf={(item) => items.indexOf(item)} />;
}

/** `notApplied` as `Not applied`. */
export function worded(name: string): string {
  const words = name
    .replace(/([a-z])([A-Z])/g, (_all, before: string, after: string) => `${before} ${after.toLowerCase()}`)
    .replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Fields that name what has a page; some need others of the same item to name it. */
const PAGES: Record<string, (value: string, item: Records) => string | undefined> = {
  sku: (sku) => linkTo(`/stock/${encodeURIComponent(sku)}`),
  channel: (channel) => linkTo(`/channels/${encodeURIComponent(channel)}`),
  channelSku: (channelSku, { channel }) =>
    typeof channel === 'string'
      ? linkTo(`/listings/${encodeURIComponent(channel)}/${encodeURIComponent(channelSku)}`)
      : undefined,
  taskId: (id) => linkTo(`/tasks/${id}`),
};

export function fieldOf(name: string, value: unknown, item: Records = {}): ComponentChildren {
  if (value === null || value === undefined || value === '') return null;
  const page = PAGES[name]?.(String(value), item);
  return page ? <a href={page}>{String(value)}</a> : plain(name, value);
}

function plain(name: string, value: unknown): ComponentChildren {
  if (typeof value === 'number')
    return <OwnCount of={value} text={name === 'seconds' ? duration(value) : undefined} as="recorded" />;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (/^(at|since|until)$|(At|Since|Until)$/.test(name) && !Number.isNaN(Date.parse(String(value))))
    return <Ago at={String(value)} />;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) return value.join(', ');
  if (typeof (value as Records).name === 'string') return (value as { name: string }).name;
  return <code>{JSON.stringify(value)}</code>;
}
