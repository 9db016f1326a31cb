import type { Server } from 'node:http';
import { Injectable, Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Response } from 'express';
import type { DataSource } from 'typeorm';
import { AvailabilityService } from '../inventory/availability.service';
import { CatalogService } from '../inventory/catalog.service';
import { TasksService } from '../jobs/tasks.service';
import { ChannelStatusService } from './channel-status.service';
import { LiveStream } from './live-stream';

/** Changes of one moment are told together. */
const STOCK_EVERY_MS = 250;
const CHANNELS_EVERY_MS = 2_000;
const TASKS_EVERY_MS = 1_000;
const ALERTS_EVERY_MS = 2_000;
/** With more SKUs than this in one moment, whoever shows stock reads its page again. */
const MOST_SKUS = 200;

/** Lists that are told whole, whenever they are another than before. */
type List = 'channels' | 'tasks' | 'alerts';

/** Who listens, and what they may hear. */
interface Listener {
  stream: LiveStream;
  hears: { stock: boolean; channels: boolean };
  /** SKUs that have changed since it was last told; `all` stands for too many to name. */
  skus: Set<number> | 'all';
  /** What it was last told of each list. */
  told: Map<List, string>;
}

/**
 * What changes, told to the browsers that look at it. An event says what to look at again, so that one which is
 * lost, late or left out does no harm. Nothing is read while nobody listens.
 */
@Injectable()
export class StreamService {
  private readonly log = new Logger('stream');
  private readonly listeners = new Set<Listener>();
  private stopListening: (() => void) | undefined;
  private timers: NodeJS.Timeout[] = [];
  private readonly reading = new Set<List>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly availability: AvailabilityService,
    private readonly catalog: CatalogService,
    private readonly status: ChannelStatusService,
    private readonly tasks: TasksService,
    private readonly adapter: HttpAdapterHost,
  ) {}

  get count(): number {
    return this.listeners.size;
  }

  /** Tells until the response is closed. The channels, the open tasks and the alerts come at once. */
  add(response: Response, hears: Listener['hears']): void {
    const listener: Listener = { stream: new LiveStream(response), hears, skus: new Set(), told: new Map() };
    this.listeners.add(listener);
    response.on('close', () => this.remove(listener));
    if (this.listeners.size === 1) this.begin();
    if (hears.channels) void Promise.all([this.tellChannels(), this.tellTasks(), this.tellAlerts()]);
  }

  private remove(listener: Listener): void {
    if (!this.listeners.delete(listener)) return;
    listener.stream.end();
    if (this.listeners.size > 0) return;
    this.stopListening?.();
    this.timers.forEach((timer) => clearInterval(timer));
    this.timers = [];
  }

  private begin(): void {
    this.stopListening = this.availability.onChanged((skuId) => this.note(skuId));
    this.timers = [
      setInterval(() => this.tick(), STOCK_EVERY_MS).unref(),
      setInterval(() => void this.tellChannels(), CHANNELS_EVERY_MS).unref(),
      setInterval(() => void this.tellTasks(), TASKS_EVERY_MS).unref(),
      setInterval(() => void this.tellAlerts(), ALERTS_EVERY_MS).unref(),
    ];
  }

  private note(skuId: number): void {
    for (const listener of this.listeners) {
      if (!listener.hears.stock || listener.skus === 'all') continue;
      if (listener.skus.size < MOST_SKUS) listener.skus.add(skuId);
      else listener.skus = 'all';
    }
  }

  /** A server that stops waits for every answer to end, and these would never end by themselves. */
  private tick(): void {
    const server = this.adapter.httpAdapter.getHttpServer() as Server;
    if (server.listening) this.tellStock();
    else for (const listener of [...this.listeners]) this.remove(listener);
  }

  private tellStock(): void {
    for (const listener of this.listeners) {
      const { skus, stream } = listener;
      if (skus !== 'all' && skus.size === 0) continue;
      const told = skus === 'all' ? { all: true } : { skus: [...skus].map((id) => this.catalog.skuCode(id)) };
      if (stream.send('stock', told)) listener.skus = new Set();
    }
  }

  private tellChannels(): Promise<void> {
    return this.tell('channels', () => this.status.all());
  }

  private tellTasks(): Promise<void> {
    return this.tell('tasks', () => this.tasks.open());
  }

  private tellAlerts(): Promise<void> {
    return this.tell('alerts', () => this.dataSource.query(UNRESOLVED));
  }

  private async tell(list: List, read: () => Promise<object[]>): Promise<void> {
    const listening = [...this.listeners].filter(({ hears }) => hears.channels);
    if (this.reading.has(list) || listening.length === 0) return;
    this.reading.add(list);
    try {
      const items = await read();
      const text = JSON.stringify(items);
      for (const { told, stream } of listening) {
        if (told.get(list) === text) continue;
        if (stream.send(list, { items })) told.set(list, text);
      }
    } catch (error) {
      this.log.warn(`cannot read the ${list} for those who listen: ${(error as Error).message}`);
    } finally {
      this.reading.delete(list);
    }
  }
}

/** Enough to see that there are some, and whether another look is worth it; the newest are told where there are many. */
const UNRESOLVED = `
  SELECT id, severity, state, channel, count, last_at AS "lastAt" FROM alerts WHERE state <> 'resolved' ORDER BY id DESC LIMIT 500`;
