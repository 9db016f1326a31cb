import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { poolOf } from '../database/pool';
import { type PageOf, pageOf } from '../http/page';
import { JobsService } from '../jobs/jobs.service';
import { NotParkedHereError, WrongStateError } from './intake.errors';
import { APPLY_INBOX } from './intake.worker';
import { POLL_ORDERS } from './order-polls.worker';
import type { ParkedFilter } from './parked-request';
import { filterValues, PARKED_STATEMENTS, type ParkedKind } from './parked-statements';

export type ParkedAction = 'retry' | 'dismiss';

/** Who does it, and why. */
export interface ActedBy {
  actor: string;
  reason?: string;
}

/** What waits for a person, and what people did about it. Nothing is deleted: what is dismissed is kept as such. */
@Injectable()
export class ParkedService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly jobs: JobsService,
  ) {}

  async list(
    kind: ParkedKind,
    filter: ParkedFilter,
    { state, after, limit }: { state: 'parked' | 'dismissed'; after: number; limit: number },
  ): Promise<PageOf<{ id: number }>> {
    const rows: { id: number }[] = await this.dataSource.query(PARKED_STATEMENTS[kind].list, [
      ...filterValues(filter),
      after,
      limit + 1,
      state,
    ]);
    return pageOf(
      rows,
      limit,
      (row) => row.id,
      (row) => row,
    );
  }

  /** Asked again it answers the same. Throws `NotParkedHereError`, `WrongStateError`. */
  async actOnOne(
    kind: ParkedKind,
    action: ParkedAction,
    id: number,
    by: ActedBy,
  ): Promise<{ id: number; state: string }> {
    const changed = await this.change(kind, action, {}, [id], by);
    const rows: { state: string }[] = await this.dataSource.query(PARKED_STATEMENTS[kind].state, [id]);
    const state = rows[0]?.state;
    if (state === undefined) throw new NotParkedHereError(kind);
    const undone = action === 'dismiss' && state !== 'dismissed';
    if (changed === 0 && undone)
      throw new WrongStateError(`the ${kind} is ${state}; only what is parked can be dismissed`);
    return { id, state };
  }

  /** All that are parked and fit, at most 10,000 at once. Answers how many it was. */
  actOnAll(kind: ParkedKind, action: ParkedAction, filter: ParkedFilter, by: ActedBy): Promise<number> {
    return this.change(kind, action, filter, null, by);
  }

  /** The change and the record of who made it are one statement. */
  private async change(
    kind: ParkedKind,
    action: ParkedAction,
    filter: ParkedFilter,
    ids: readonly number[] | null,
    { actor, reason }: ActedBy,
  ): Promise<number> {
    const found = await poolOf(this.dataSource).query<{ channel: string }>(
      `WITH ${PARKED_STATEMENTS[kind][action]}, noted AS (
         INSERT INTO intake_actions (subject, subject_id, action, reason, actor)
         SELECT '${kind}', id, $6, $7, $8 FROM changed ORDER BY id)
       SELECT channel FROM changed`,
      [...filterValues(filter), ids, action, reason ?? null, actor],
    );
    if (action === 'retry') this.wake(kind, new Set(found.rows.map(({ channel }) => channel)));
    return found.rows.length;
  }

  private wake(kind: ParkedKind, channels: ReadonlySet<string>): void {
    const job = kind === 'webhook' ? APPLY_INBOX : POLL_ORDERS;
    for (const channel of channels) this.jobs.wake(job, channel);
  }
}
