import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Config } from '../config/config';
import { isRetryable } from '../inventory/inventory.errors';
import { JobsService } from '../jobs/jobs.service';
import { TasksService } from '../jobs/tasks.service';
import { readCountCsv } from './count-lines';
import { CountsService } from './counts.service';

const WATCH_COUNTS = 'watch-counts';
/** A file that is still being written grows, or was touched just now. */
const QUIET_FOR_MS = 2_000;
const COMPARED_WITHIN_MS = 30_000;
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Takes CSV files that somebody puts into a folder: `SOURCE.csv` counts some SKUs, `SOURCE.full.csv` all of its
 * locations. Their `taken_at` column says when, else the file's own time. What was taken goes to `done/` with its
 * report beside it, what cannot be to `failed/` with the reason.
 */
@Injectable()
export class CountsFolderWorker implements OnModuleInit {
  private readonly log = new Logger('counts');

  constructor(
    private readonly counts: CountsService,
    private readonly tasks: TasksService,
    private readonly jobs: JobsService,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    const { folder, watchEverySeconds } = this.config.counts;
    if (folder === null) return;
    this.jobs.process(WATCH_COUNTS, () => this.look(folder));
    this.jobs.every(watchEverySeconds, WATCH_COUNTS);
  }

  private async look(folder: string): Promise<void> {
    for (const place of ['done', 'failed']) await mkdir(join(folder, place), { recursive: true });
    const files = (await readdir(folder, { withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name.toLowerCase().endsWith('.csv'))
      .map(({ name }) => name)
      .sort();
    for (const name of files) {
      const { mtimeMs, size } = await stat(join(folder, name));
      if (Date.now() - mtimeMs < QUIET_FOR_MS) continue;
      await this.take(folder, name, new Date(mtimeMs), size);
    }
  }

  /** Taken twice, by a host that was lost before it could move the file, it is the same count. */
  private async take(folder: string, name: string, changedAt: Date, size: number): Promise<void> {
    try {
      if (size > MOST_BYTES) throw new Error(`it has more than ${MOST_BYTES} bytes; split it`);
      const {
        lines,
        faults,
        takenAt = changedAt.toISOString(),
      } = readCountCsv(await readFile(join(folder, name)));
      if (faults.length > 0) throw new Error(faults.join('\n'));
      if (lines.length === 0) throw new Error('it holds no lines');
      if (Number.isNaN(Date.parse(takenAt)))
        throw new Error(`taken_at must be an ISO 8601 time, not ${takenAt}`);
      if (Date.parse(takenAt) > Date.now())
        throw new Error(`taken_at must not be in the future, as ${takenAt} is`);
      const [, source = name, full] = /^(.*?)(\.full)?\.csv$/i.exec(name) ?? [];
      const { id, task } = await this.counts.receive({
        source: source.slice(0, 100),
        kind: full ? 'full' : 'partial',
        takenAt: new Date(takenAt),
        reason: `count file ${name}`.slice(0, 200),
        lines,
        receivedBy: 'folder',
      });
      if (task) await this.tasks.wait(task.id, COMPARED_WITHIN_MS);
      await this.putAway(folder, 'done', name, JSON.stringify(await this.counts.summary(id), null, 2));
    } catch (error) {
      // The database is away: the file is not at fault, and is there at the next look.
      if (isRetryable(error)) throw error;
      this.log.warn(`${name} cannot be taken as a count: ${(error as Error).message.split('\n')[0]}`);
      await this.putAway(folder, 'failed', name, (error as Error).message);
    }
  }

  /** Under a name of its own: a source sends one file after the other under the same name. */
  private async putAway(
    folder: string,
    place: 'done' | 'failed',
    name: string,
    report: string,
  ): Promise<void> {
    const stamp = new Date().toISOString().replace(/[:.]/g, '-');
    const target = join(folder, place, `${stamp}-${basename(name)}`);
    await rename(join(folder, name), target);
    await writeFile(`${target}.report.${place === 'done' ? 'json' : 'txt'}`, `${report}\n`);
  }
}
