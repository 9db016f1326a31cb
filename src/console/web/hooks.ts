import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type ApiProblem, call } from './api';

export interface Fetched<T> {
  data: T | undefined;
  problem: ApiProblem | undefined;
  /** Nothing of this path is there yet; `data` may be what the path before it answered. */
  loading: boolean;
  reload(): void;
}

/**
 * Reads a path of the API, and again on `reload`. What was read stays until the new answer is there, also that of
 * the path before, so that a list that is filtered does not flicker.
 */
export function useApi<T>(path: string | undefined): Fetched<T> {
  const [state, setState] = useState<{ path?: string; data?: T; problem?: ApiProblem }>({});
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === undefined) return undefined;
    const stop = new AbortController();
    call<T>('GET', path, undefined, stop.signal).then(
      (data) => {
        if (!stop.signal.aborted) setState({ path, data });
      },
      (problem: ApiProblem) => {
        if (!stop.signal.aborted)
          setState((before) => ({ path, problem, data: before.path === path ? before.data : undefined }));
      },
    );
    return () => stop.abort();
  }, [path, turn]);
  const isCurrent = state.path === path;
  return {
    data: path === undefined ? undefined : state.data,
    problem: isCurrent ? state.problem : undefined,
    loading: path !== undefined && !isCurrent,
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

/** Always the newest function, for whoever keeps a callback for long. */
export function useNewest<T extends (...args: never[]) => void>(callback: T): T {
  const newest = useRef(callback);
  newest.current = callback;
  return useCallback(((...args) => newest.current(...args)) as T, []);
}

/** Calls back every so often while the page can be seen. */
export function useEvery(everyMs: number, callback: () => void): void {
  const newest = useNewest(callback);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && newest(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, newest]);
}
