import type { ComponentChildren } from 'preact';
import { linkTo } from '../route';
import { Count } from './basics';
import { type Column, Table } from './table';
import { Ago } from './time';

export type Records = Record<string, unknown>;

/** Things whose fields are their kind's own: a column for each field, and links where a field names what has a page. */
export function RecordTable({ label, items }: { label: string; items: readonly Records[] }) {
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))].filter((name) => name !== 'id');
  const columns: Column<Records>[] = names.map((field, index) => ({
    name: worded(field),
    heading: index === 0,
    number: items.every((item) => typeof item[field] === 'number'),
    class: items.some((item) => String(item[field] ?? '').length > 40) ? 'long' : undefined,
    of: (item) => fieldOf(field, item[field]),
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

const PAGES: Record<string, (value: string) => string> = {
  sku: (sku) => linkTo(`/stock/${encodeURIComponent(sku)}`),
  channel: (channel) => linkTo(`/channels/${encodeURIComponent(channel)}`),
  taskId: (id) => linkTo(`/tasks/${id}`),
};

export function fieldOf(name: string, value: unknown): ComponentChildren {
  if (value === null || value === undefined || value === '') return null;
  const page = PAGES[name];
  if (page) return <a href={page(String(value))}>{String(value)}</a>;
  if (typeof value === 'number') return <Count of={value} />;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'object') return <code>{JSON.stringify(value)}</code>;
  if (/(At|since|until)$/i.test(name) && !Number.isNaN(Date.parse(String(value))))
    return <Ago at={String(value)} />;
  return String(value);
}
