import { createHash, randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { AddressGuard } from '../channels/address-guard';
import { Config } from '../config/config';
import type { ReceiverConfig } from '../config/receiver.config';
import { poolOf } from '../database/pool';
import { DeliveryRecords } from './delivery-records';
import { EmailSender } from './email-sender';
import { HttpSender } from './http-sender';
import { UnknownReceiverError } from './outbound.errors';
import type { Outcome, Sender } from './sender';
import { SlackSender } from './slack-sender';
import { WebhookSender } from './webhook-sender';

/** A receiver as `GET /v1/receivers` tells it; of its address, only whose it is. */
export interface ReceiverView {
  name: string;
  kind: string;
  address: string;
  events: readonly string[];
  channels: readonly string[];
  tags: readonly string[];
  /** `failing`: it did not take what it was sent last. `disabled`: it said that it wants nothing any more. */
  state: 'active' | 'failing' | 'disabled';
  failures: number;
  failingSince: Date | null;
  lastStatus: number | null;
  lastError: string | null;
  lastDeliveredAt: Date | null;
  waiting: number;
  givenUp: number;
}

/** Who is told outside, and how each of them does. */
@Injectable()
export class ReceiversService implements OnModuleInit, OnApplicationShutdown {
  readonly records: DeliveryRecords;
  private readonly senders = new Map<string, Sender>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: Config,
  ) {
    this.records = new DeliveryRecords(poolOf(dataSource));
    const guard = new AddressGuard(config.outbound.allow, 'receivers may have', 'the receiver');
    for (const receiver of config.receivers)
      this.senders.set(receiver.name, senderOf(receiver, config, guard));
  }

  async onModuleInit(): Promise<void> {
    if (this.all().length === 0) return;
    const targets = this.all().map(targetOf);
    await this.dataSource.query(DECLARE, [this.all().map(({ name }) => name), targets]);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.senders.values()].map((sender) => sender.close()));
  }

  all(): readonly ReceiverConfig[] {
    return this.config.receivers;
  }

  /** Throws `UnknownReceiverError`. */
  senderOf(name: string): Sender {
    const sender = this.senders.get(name);
    if (!sender) throw new UnknownReceiverError(name);
    return sender;
  }

  async list(): Promise<ReceiverView[]> {
    const rows: (Omit<ReceiverView, 'kind' | 'address' | 'events' | 'channels' | 'tags'> & {
      name: string;
    })[] = await this.dataSource.query(LIST, [this.all().map(({ name }) => name)]);
    const states = new Map(rows.map((row) => [row.name, row]));
    return this.all().map((receiver) => {
      const { name, kind, events, channels, tags } = receiver;
      const { name: _name, ...state } = states.get(name)!;
      return { name, kind, address: addressOf(receiver), events, channels, tags, ...state };
    });
  }

  /**
   * Sends a test now, whatever the receiver asked for. One that arrives enables a receiver that was disabled.
   * Throws `UnknownReceiverError`.
   */
  async test(name: string): Promise<Outcome> {
    const at = new Date().toISOString();
    const data = {
      receiver: name,
      summary: 'A test of this receiver, asked for by an operator. Nothing is wrong.',
    };
    const body = JSON.stringify({ type: 'receiver.test', timestamp: at, data });
    const delivery = { id: randomUUID(), event: 'receiver.test', subject: `test of ${name}`, body };
    const [outcome] = await this.senderOf(name).send([delivery]);
    if (outcome!.delivered || outcome!.gone) await this.records.note(name, [outcome!]);
    return outcome!;
  }
}

function senderOf(receiver: ReceiverConfig, config: Config, guard: AddressGuard): Sender {
  const { timeoutSeconds } = config.deliveries;
  const { publicUrl } = config.server;
  if (receiver.kind === 'email') return new EmailSender(receiver, { timeoutSeconds, publicUrl }, guard);
  const http = new HttpSender(receiver.url!, timeoutSeconds, guard);
  return receiver.kind === 'slack'
    ? new SlackSender(http, publicUrl)
    : new WebhookSender(http, receiver.secrets);
}

function addressOf({ kind, url, to }: ReceiverConfig): string {
  return kind === 'email' ? to.join(', ') : new URL(url!).origin;
}

function targetOf({ kind, url, to }: ReceiverConfig): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([kind, url, to]))
    .digest();
}

/** In the order of the names, against deadlocks of hosts that start together. */
const DECLARE = `
  INSERT INTO receivers AS r (name, target) SELECT * FROM unnest($1::text[], $2::bytea[]) AS t (name, target) ORDER BY name
  ON CONFLICT (name) DO UPDATE
    SET target = excluded.target, failures = 0, failing_since = NULL, not_before = '-infinity', status = NULL, error = NULL,
        disabled_at = NULL
  WHERE r.target <> excluded.target`;

const LIST = `
  SELECT r.name, CASE WHEN r.disabled_at IS NOT NULL THEN 'disabled' WHEN r.failures > 0 THEN 'failing' ELSE 'active' END AS state,
         r.failures, r.failing_since AS "failingSince", r.status AS "lastStatus", r.error AS "lastError",
         r.delivered_at AS "lastDeliveredAt",
         (SELECT count(*) FROM deliveries d WHERE d.receiver = r.name AND d.state = 'waiting') AS waiting,
         (SELECT count(*) FROM deliveries d WHERE d.receiver = r.name AND d.state = 'given-up') AS "givenUp"
    FROM receivers r WHERE r.name = ANY($1::text[])`;
