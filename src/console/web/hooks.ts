import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type ApiProblem, call } from './api';

export interface Fetched<T> {
  data: T | undefined;
  problem: ApiProblem | undefined;
  loading: boolean;
  reload(): void;
}

/** Reads a path of the API, and again on `reload`; what was read stays until the new answer is there. */
export function useApi<T>(path: string | undefined): Fetched<T> {
  const [state, setState] = useState<{ path?: string; data?: T; problem?: ApiProblem }>({});
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === undefined) return undefined;
    const stop = new AbortController();
    call<T>('GET', path, undefined, stop.signal).then(
      (data) => setState({ path, data }),
      (problem: ApiProblem) => {
        if (!stop.signal.aborted)
          setState((before) => ({ path, problem, data: before.path === path ? before.data : undefined }));
      },
    );
    return () => stop.abort();
  }, [path, turn]);
  const current = state.path === path;
  return {
    data: current ? state.data : undefined,
    problem: current ? state.problem : undefined,
    loading: path !== undefined && !current,
    reload: useCallback(() => setTurn((before) => before + 1), []),
  };
}

/** The value once it has not changed for so long. */
export function useSettled<T>(value: T, delayMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delayMs);
    return () => clearTimeout(timer);
  }, [value, delayMs]);
  return settled;
}

/** The part of the address behind `#`, such as `/stock/MUG`. */
export function useRoute(): string {
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const listen = () => setRoute(read());
    addEventListener('hashchange', listen);
    return () => removeEventListener('hashchange', listen);
  }, []);
  return route;
}

function read(): string {
  return location.hash.slice(1) || '/';
}

/** Always the newest function, for whoever keeps a callback for long. */
export function useNewest<T extends (...args: never[]) => void>(callback: T): T {
  const newest = useRef(callback);
  newest.current = callback;
  return useCallback(((...args) => newest.current(...args)) as T, []);
}
