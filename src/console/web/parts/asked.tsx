import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useQuery } from '../route';

/** A part of a page that an address may ask for by its name, in `show`; it is brought into view. */
export function Asked({ name, children }: { name: string; children: ComponentChildren }) {
  const [{ show }] = useQuery();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (show === name) place.current?.scrollIntoView();
  }, [show, name]);
  return <div ref={place}>{children}</div>;
}
