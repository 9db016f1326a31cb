import { useId } from 'preact/hooks';
import { useApi, useSettled } from '../hooks';
import type { Page } from '../types';

/** A field for one of our SKUs, which proposes those that have the text in their code, name or barcode. */
export function SkuField({
  value,
  label,
  onChange,
}: {
  value: string;
  label: string;
  onChange: (sku: string) => void;
}) {
  const id = useId();
  const search = useSettled(value.trim(), 200);
  const query = new URLSearchParams({ search, limit: '8' }).toString();
  const found = useApi<Page<{ sku: string; name: string | null }>>(search ? `/v1/stock?${query}` : undefined);
  return (
    <>
      <input
        class="sku-field"
        value={value}
        list={id}
        aria-label={label}
        placeholder="SKU"
        maxLength={100}
        autocomplete="off"
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      <datalist id={id}>
        {found.data?.items.map(({ sku, name }) => (
          <option key={sku} value={sku}>
            {name}
          </option>
        ))}
      </datalist>
    </>
  );
}
