import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { WebhookRequest } from '../channel-api';
import { Gathered } from '../database/gathered';
import { poolOf } from '../database/pool';
import { currentTrace } from '../telemetry/tracing';
import { errorCode, errorText } from './intake.errors';

export interface InboxRow {
  id: number;
  channel: string;
  topic: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
  attempts: number;
}

/** Never stored: they authenticate the sender, and the body's signature has been checked by then. */
const SECRET_HEADERS = /^(authorization|proxy-authorization|cookie|x-api-key)$|token|secret/;

/** How long a claimed row is another host's to take, should this one die. */
const CLAIM_SECONDS = 60;

/** While hosts change over to another onhand.yaml, one of them may not know a channel yet. */
const STRAY_SECONDS = 3_600;

interface Delivery {
  channel: string;
  identity: Buffer;
  topic: string;
  path: string;
  headers: string;
  body: Buffer;
}

/** Deliveries that one statement stores, and statements at a time: bodies may be large. */
const GATHERED = { atOnce: 32, sideBySide: 2, keyOf };

function keyOf({ channel, identity }: Pick<Delivery, 'channel' | 'identity'>): string {
  return `${identity.toString('hex')} ${channel}`;
}

/** Webhooks as they came, kept until what they say is in the ledger. */
@Injectable()
export class InboxService {
  private readonly deliveries = new Gathered<Delivery, boolean>((all) => this.store(all), GATHERED);

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * Stores a delivery; one that came before is counted, not stored. It is known by its body, or by the sender's own
   * id of the news where there is one. Resolves after the commit, and only then may the sender be answered.
   */
  async receive(
    channel: string,
    topic: string,
    request: WebhookRequest,
    notificationId?: string,
  ): Promise<{ duplicate: boolean }> {
    const known = notificationId === undefined ? request.body : `notification ${notificationId}`;
    const identity = createHash('sha256').update(topic).update('\0').update(known).digest();
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !SECRET_HEADERS.test(name)),
    );
    const traceparent = currentTrace();
    if (traceparent !== undefined) headers.traceparent = traceparent;
    const { path, body } = request;
    const created = await this.deliveries.ask({
      channel,
      identity,
      topic,
      path,
      headers: JSON.stringify(headers),
      body,
    });
    return { duplicate: !created };
  }

  /** Whether each was new. */
  private async store(all: Delivery[]): Promise<boolean[]> {
    const stored = await poolOf(this.dataSource).query<{
      identity: Buffer;
      channel: string;
      created: boolean;
    }>({
      name: 'receive-webhooks',
      text: RECEIVE,
      values: [
        all.map(({ channel }) => channel),
        all.map(({ identity }) => identity),
        all.map(({ topic }) => topic),
        all.map(({ path }) => path),
        all.map(({ headers }) => headers),
        all.map(({ body }) => body),
      ],
    });
    const created = new Map(stored.rows.map((row) => [keyOf(row), row.created]));
    return all.map((each) => created.get(keyOf(each))!);
  }

  /** The channel's, oldest first; rows claimed here are nobody else's for a minute. */
  async claim(channel: string, limit: number): Promise<InboxRow[]> {
    const found = await poolOf(this.dataSource).query<InboxRow>({
      name: 'claim-inbox',
      text: CLAIM,
      values: [channel, limit, CLAIM_SECONDS],
    });
    return found.rows.sort((a, b) => a.id - b.id);
  }

  async markApplied(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    await this.dataSource.query(
      `UPDATE inbox SET state = 'applied', applied_at = clock_timestamp(), error = NULL, code = NULL
        WHERE id = ANY($1::bigint[]) AND state = 'received'`,
      [ids],
    );
  }

  /** What told only of an order has nothing to keep once that is read, but the names of people. */
  async markFollowed(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    await this.dataSource.query(
      `UPDATE inbox SET state = 'applied', applied_at = clock_timestamp(), error = NULL, code = NULL, body = ''
        WHERE id = ANY($1::bigint[]) AND state = 'received'`,
      [ids],
    );
  }

  async park(id: number, error: unknown): Promise<void> {
    await this.dataSource.query(
      `UPDATE inbox SET state = 'parked', parked_at = clock_timestamp(), error = $2, code = $3
        WHERE id = $1 AND state = 'received'`,
      [id, errorText(error), errorCode(error)],
    );
  }

  /** After a delay that grows. What is not the row's own fault (`counts` false) costs it no attempt. */
  async retryLater(id: number, error: unknown, counts: boolean): Promise<void> {
    await this.dataSource.query(
      `UPDATE inbox SET error = $2, code = $3, attempts = attempts - CASE WHEN $4 THEN 0 ELSE 1 END,
              not_before = clock_timestamp() + make_interval(secs => least(300, power(2, least(attempts, 10))))
        WHERE id = $1 AND state = 'received'`,
      [id, errorText(error), errorCode(error), counts],
    );
  }

  /** What was received for a channel that is in no configuration any more waits for a person, not for ever. */
  async parkStrays(configured: readonly string[]): Promise<number> {
    const parked = await poolOf(this.dataSource).query(
      `UPDATE inbox SET state = 'parked', parked_at = clock_timestamp(), code = 'unknown-channel',
              error = 'onhand.yaml names no such channel; put it back and try this again, or dismiss it'
        WHERE state = 'received' AND NOT channel = ANY($1::text[])
          AND received_at < clock_timestamp() - make_interval(secs => $2)`,
      [configured, STRAY_SECONDS],
    );
    return parked.rowCount ?? 0;
  }
}

/** A repeated parked or applied delivery stays what it is. In one order, so that two hosts never deadlock. */
const RECEIVE = `
  INSERT INTO inbox (channel, identity, topic, path, headers, body)
  SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::jsonb[], $6::bytea[])
   ORDER BY 2
  ON CONFLICT (channel, identity) DO UPDATE SET deliveries = inbox.deliveries + 1
  RETURNING channel, identity, (xmax = 0) AS created`;

const CLAIM = `
  UPDATE inbox SET attempts = attempts + 1, not_before = clock_timestamp() + make_interval(secs => $3)
   WHERE id IN (SELECT id FROM inbox WHERE channel = $1 AND state = 'received' AND not_before <= clock_timestamp()
                 ORDER BY greatest(received_at, not_before), id LIMIT $2 FOR UPDATE SKIP LOCKED)
  RETURNING id, channel, topic, path, headers, body, attempts`;
