import { mkdtemp, chmod, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SeededRandom } from '../../src/replay/random';
import { REDIS_IS_INSTALLED } from '../support/redis';
import { CrashPostgres } from './crash-postgres';
import { CrashWorld } from './crash-world';
import { canMount } from './disk-faults';
import { FAULTS } from './faults';
import { openWorld, playRound, type RoundResult } from './round';
import type { Traffic } from './traffic';

/** Then the tables and logs are so long that looking at them takes the time of the rounds. */
const ROUNDS_IN_A_WORLD = 8;
const KINDS = Object.keys(FAULTS) as (keyof typeof FAULTS)[];

interface Standing {
  world: CrashWorld;
  traffic: Traffic;
  rounds: number;
}

/** `npm run crash -- --rounds N [--seed S] [--only kind]`: breaks hosts and all they stand on, and checks I1 to I9. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '20' },
      seed: { type: 'string' },
      only: { type: 'string' },
    },
  });
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  const kinds = possibleKinds(values.only);
  const folder = await mkdtemp(join(tmpdir(), 'onhand-crash-'));
  await chmod(folder, 0o711);
  const run = new Run(folder, kinds);
  process.once('SIGINT', () => run.stop());
  await run.play(Number(values.rounds), seed);
}

function possibleKinds(only: string | undefined): (keyof typeof FAULTS)[] {
  if (!REDIS_IS_INSTALLED)
    process.stdout.write(
      'SKIPPED: faults of Redis, for there is no redis-server: apt-get install -y redis-server\n',
    );
  if (!canMount())
    process.stdout.write('SKIPPED: a full disk, for only root can mount one of a few megabytes\n');
  const possible = KINDS.filter(
    (kind) => (REDIS_IS_INSTALLED || !kind.startsWith('redis')) && (canMount() || kind !== 'disk-full'),
  );
  if (only === undefined) return possible;
  const chosen = possible.filter((kind) => kind === only);
  if (chosen.length === 0) throw new Error(`--only takes one of ${possible.join(', ')}`);
  return chosen;
}

class Run {
  private standing: Standing | undefined;
  private worlds = 0;
  private played = 0;
  private failed = 0;
  private stopped = false;
  private readonly reached = new Map<string, number>();

  constructor(
    private readonly folder: string,
    private readonly kinds: readonly (keyof typeof FAULTS)[],
  ) {}

  /** After the round that is played. */
  stop(): void {
    this.stopped = true;
  }

  async play(rounds: number, firstSeed: number): Promise<void> {
    try {
      await this.playAll(rounds, firstSeed);
    } finally {
      await this.endWorld();
    }
    process.stdout.write(
      `\n${this.played} rounds, ${this.failed} broken; hosts killed at failpoints:\n${tableOf(this.reached)}\n`,
    );
    if (this.failed === 0) await rm(this.folder, { recursive: true, force: true });
    process.exitCode = this.failed === 0 ? 0 : 1;
  }

  private async playAll(rounds: number, firstSeed: number): Promise<void> {
    const template = await CrashPostgres.template(this.folder);
    for (let round = 0; round < rounds && !this.stopped; round++) {
      const seed = firstSeed + round;
      // Which kind comes with which seed is always the same.
      const kind = this.kinds.length === 1 ? this.kinds[0]! : new SeededRandom(seed, 'kind').pick(this.kinds);
      this.standing ??= await this.newWorld(template, seed);
      const { world, traffic } = this.standing;
      const result = await playRound(world, traffic, { fault: FAULTS[kind], seed });
      this.standing.rounds += 1;
      await this.tell(round, seed, kind, result);
      if (result.broken.length > 0 || this.standing.rounds >= ROUNDS_IN_A_WORLD) await this.endWorld(result);
    }
  }

  private async newWorld(template: CrashPostgres, seed: number): Promise<Standing> {
    const folder = join(this.folder, `world-${++this.worlds}`);
    const world = await CrashWorld.create(folder, await template.copyTo(folder), seed);
    return { world, traffic: await openWorld(world, seed), rounds: 0 };
  }

  /** That of a broken round keeps its files. */
  private async endWorld(result?: RoundResult): Promise<void> {
    const { world, traffic } = this.standing ?? {};
    this.standing = undefined;
    if (!world || !traffic) return;
    if (result && result.broken.length > 0) {
      await world.keepLogs();
      const { calls, webhooks } = traffic.book;
      const list = { broken: result.broken, placed: traffic.placed, calls, webhooks };
      await writeFile(join(world.folder, 'answers.json'), JSON.stringify(list, null, 1));
    }
    await world.close();
    if (!result || result.broken.length === 0) await rm(world.folder, { recursive: true, force: true });
  }

  private async tell(round: number, seed: number, kind: string, result: RoundResult): Promise<void> {
    const { seconds, answered, failures, notes, broken } = result;
    this.played += 1;
    for (const note of notes.filter((each) => each.includes('.') && !each.includes('unreached')))
      this.reached.set(note, (this.reached.get(note) ?? 0) + 1);
    const took = Object.entries(seconds).map(([phase, time]) => `${phase} ${time.toFixed(1)} s`);
    const figures = `${took.join(', ')}, ${answered} answered, ${failures} failed`;
    const told = notes.length > 0 ? ` (${notes.join(', ')})` : '';
    process.stdout.write(
      `${broken.length === 0 ? 'ok    ' : 'BROKEN'} ${round + 1} seed ${seed} ${kind}${told}: ${figures}\n`,
    );
    if (broken.length === 0) return;
    this.failed += 1;
    for (const line of broken.slice(0, 20)) process.stdout.write(`       ${line}\n`);
    process.stdout.write(
      `       its files: ${this.standing!.world.folder}\n       again: npm run crash -- --rounds 1 --seed ${seed} --only ${kind}\n`,
    );
  }
}

function tableOf(counts: ReadonlyMap<string, number>): string {
  const lines = [...counts].sort().map(([name, count]) => `${String(count).padStart(6)}  ${name}`);
  return lines.join('\n') || '  none';
}

main().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
