import { useEffect, useMemo, useState } from 'preact/hooks';

/** The part of the address behind `#`: `/stock/MUG` and what stands behind its `?`. */
export interface Route {
  path: string;
  query: URLSearchParams;
}

const CHANGED = 'onhand-route';

export function readRoute(): Route {
  const [path = '', query] = location.hash.slice(1).split('?', 2);
  return { path: path || '/', query: new URLSearchParams(query) };
}

/** An address of the console, such as `linkTo('/tasks', { kind: 'reconcile' })`; what is empty is left out. */
export function linkTo(path: string, query: Record<string, string | undefined> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const text = new URLSearchParams(given).toString();
  return `#${path}${text && `?${text}`}`;
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const listen = () => setHash(location.hash);
    addEventListener('hashchange', listen);
    addEventListener(CHANGED, listen);
    // It may have changed since this was drawn.
    listen();
    return () => {
      removeEventListener('hashchange', listen);
      removeEventListener(CHANGED, listen);
    };
  }, []);
  return useMemo(readRoute, [hash]);
}

/**
 * What a page is asked to show, kept in the address so that it can be linked to, reloaded and sent to a colleague.
 * Setting it makes no entry in the browser's history.
 */
export function useQuery(): [Record<string, string>, (change: Record<string, string | undefined>) => void] {
  const { query } = useRoute();
  const text = query.toString();
  const values = useMemo(() => Object.fromEntries(new URLSearchParams(text)), [text]);
  const change = (changes: Record<string, string | undefined>) => {
    const { path, query: now } = readRoute();
    history.replaceState(null, '', linkTo(path, { ...Object.fromEntries(now), ...changes }));
    dispatchEvent(new Event(CHANGED));
  };
  return [values, change];
}

/** The values of a pattern's `:names`, such as `/stock/:sku`; undefined where the path is another one. */
export function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const found = path.split('/');
  if (wanted.length !== found.length) return undefined;
  const values: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    if (!part.startsWith(':')) {
      if (part !== found[index]) return undefined;
    } else values[part.slice(1)] = decoded(found[index]!);
  }
  return values;
}

/** An address that a person has typed may have any percent sign in it. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
