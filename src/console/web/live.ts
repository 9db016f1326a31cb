import { useEffect, useState } from 'preact/hooks';
import { useNewest } from './hooks';
import type { Alert, ChannelStatus, OpenTask } from './types';

export interface StockNews {
  skus?: string[];
  all?: boolean;
}

/** What the stream tells of an alert; the API has the rest. */
type LiveAlert = Pick<Alert, 'id' | 'severity' | 'state' | 'channel' | 'count' | 'lastAt'>;

type Listener = (news: StockNews) => void;

/** One connection for the whole page; the browser makes it anew when it is lost. */
class LiveConnection {
  channels: ChannelStatus[] | undefined;
  tasks: OpenTask[] | undefined;
  alerts: LiveAlert[] | undefined;
  connected = false;
  /** Another number whenever any of these is another. */
  version = 0;
  readonly stockListeners = new Set<Listener>();
  readonly watchers = new Set<() => void>();
  private source: EventSource | undefined;

  start(): void {
    this.source ??= this.connect();
  }

  stop(): void {
    this.source?.close();
    this.source = undefined;
    this.connected = false;
    this.channels = undefined;
    this.tasks = undefined;
    this.alerts = undefined;
  }

  private connect(): EventSource {
    const source = new EventSource('/v1/stream');
    source.addEventListener('open', () => {
      this.connected = true;
      this.changed();
      // What happened meanwhile was told to nobody.
      this.tellStock({ all: true });
    });
    source.addEventListener('error', () => {
      this.connected = false;
      this.changed();
    });
    source.addEventListener('channels', ({ data }: MessageEvent<string>) => {
      this.channels = (JSON.parse(data) as { items: ChannelStatus[] }).items;
      this.changed();
    });
    source.addEventListener('tasks', ({ data }: MessageEvent<string>) => {
      this.tasks = (JSON.parse(data) as { items: OpenTask[] }).items;
      this.changed();
    });
    source.addEventListener('alerts', ({ data }: MessageEvent<string>) => {
      this.alerts = (JSON.parse(data) as { items: LiveAlert[] }).items;
      this.changed();
    });
    source.addEventListener('stock', ({ data }: MessageEvent<string>) =>
      this.tellStock(JSON.parse(data) as StockNews),
    );
    return source;
  }

  private changed(): void {
    this.version++;
    for (const watcher of this.watchers) watcher();
  }

  private tellStock(news: StockNews): void {
    for (const listener of this.stockListeners) listener(news);
  }
}

export const live = new LiveConnection();

/** What the host tells by itself; undefined until it has, and where the session's key may not hear it. */
export interface Live {
  channels: ChannelStatus[] | undefined;
  /** Long tasks that are not over. */
  tasks: OpenTask[] | undefined;
  /** Alerts that are not resolved. */
  alerts: LiveAlert[] | undefined;
  connected: boolean;
}

export function useLive(): Live {
  const [, setVersion] = useState(live.version);
  useEffect(() => {
    const watcher = () => setVersion(live.version);
    live.watchers.add(watcher);
    // What was told after this was drawn, and before it listened, is told by nobody again.
    watcher();
    return () => void live.watchers.delete(watcher);
  }, []);
  return live;
}

/** Calls back, at most once in a while, when one of the SKUs has other stock. */
export function useStockNews(skus: readonly string[], callback: () => void, everyMs = 500): void {
  const changed = useNewest(callback);
  const key = skus.join('\n');
  useEffect(() => {
    const wanted = new Set(key.split('\n'));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const listener: Listener = ({ all, skus: told = [] }) => {
      if (!all && !told.some((sku) => wanted.has(sku))) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        changed();
      }, everyMs);
    };
    live.stockListeners.add(listener);
    return () => {
      clearTimeout(timer);
      live.stockListeners.delete(listener);
    };
  }, [key, everyMs, changed]);
}
