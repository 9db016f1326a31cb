import { writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededRandom } from '../../src/replay/random';
import { eventually } from '../support/eventually';
import { execute } from '../support/test-server';
import type { CrashWorld, Seat } from './crash-world';
import type { NetworkFault } from './fault-proxy';
import { restoreBackup, fillDisk } from './disk-faults';
import type { Traffic } from './traffic';

/** What a fault has to work with; it says in `notes` what it did, for whoever reads the round's line. */
export interface Scene {
  world: CrashWorld;
  traffic: Traffic;
  random: SeededRandom;
  notes: string[];
}

export type Fault = (scene: Scene) => Promise<void>;

interface Failpoint {
  name: string;
  role: 'web' | 'worker';
}

export const FAILPOINTS = JSON.parse(
  readFileSync(join(__dirname, 'failpoints.json'), 'utf8'),
) as readonly Failpoint[];

/** A point that the traffic does not come by in this time is said to be unreached. */
const REACHED_WITHIN_MS = 4_000;

/** Each breaks something while the traffic goes on; the round heals it. */
export const FAULTS = {
  'host-killed': async ({ world, random, notes }) => {
    const seats = random.shuffled(world.seats).slice(0, 1 + Math.floor(random.next() * 3));
    for (const seat of seats) {
      await sleep(random.next() * 600);
      notes.push(seat.role);
      await world.kill(seat);
    }
  },

  failpoint: async (scene) => {
    const { world, random } = scene;
    const points = random.shuffled(FAILPOINTS);
    const [web, other] = random.shuffled([world.seats[0]!, world.seats[2]!]);
    const [one, two] = [
      points.find(({ role }) => role === 'web')!,
      points.find(({ role }) => role === 'worker')!,
    ];
    await Promise.all([dieAt(scene, one, web!), dieAt(scene, two, random.pick([world.seats[1]!, other!]))]);
  },

  'postgres-stopped-at-once': async ({ world, random }) => {
    await sleep(random.next() * 700);
    await world.postgres.stop('immediate');
    await sleep(random.next() * 1_000);
    await world.postgres.start();
    await sleep(500);
  },

  'postgres-killed': async ({ world, random }) => {
    await sleep(random.next() * 700);
    await world.postgres.signal('SIGKILL');
    await eventually(async () => {
      if (await world.postgres.isRunning()) throw new Error('PostgreSQL runs still');
    });
    await sleep(random.next() * 500);
    await world.postgres.start();
    await sleep(500);
  },

  'postgres-backend-killed': async ({ world, random }) => {
    await sleep(random.next() * 500);
    const [, ...backends] = await world.postgres.pids();
    process.kill(random.pick(backends), 'SIGKILL');
    await sleep(1_500);
  },

  'postgres-connections-ended': async ({ world, random }) => {
    for (let time = 0; time < 4; time++) {
      await sleep(200 + random.next() * 300);
      await execute(world.postgres.url, END_CONNECTIONS);
    }
  },

  'postgres-frozen': async ({ world, random }) => {
    await sleep(random.next() * 300);
    await world.postgres.signal('SIGSTOP');
    await sleep(2_000 + random.next() * 2_000);
    await world.postgres.signal('SIGCONT');
    await sleep(500);
  },

  'commit-cut': async ({ world, random, notes }) => {
    for (let time = 0; time < 12; time++) {
      const before = world.toPostgres.hurt;
      await world.toPostgres.begin(random.chance(0.75) ? 'cut-after-commit' : 'cut-before-commit');
      await eventually(() => {
        if (world.toPostgres.hurt === before) throw new Error('no COMMIT came by');
      });
      await sleep(random.next() * 150);
    }
    notes.push('12 commits');
  },

  'postgres-unreachable': async ({ world, random, notes }) => {
    const fault = random.pick(['refuse', 'blackhole', 'reset'] as const);
    notes.push(fault);
    await world.toPostgres.begin(fault);
    await sleep(500 + random.next() * 1_500);
    await world.toPostgres.heal();
    await sleep(500);
  },

  'redis-killed': async ({ world: { redis }, random }) => {
    await sleep(random.next() * 500);
    await redis!.kill();
    await sleep(1_000);
    await redis!.restart();
    await sleep(500);
  },

  'redis-emptied': async ({ world: { redis } }) => {
    for (let time = 0; time < 30; time++) {
      await redis!.command('FLUSHALL');
      await sleep(40);
    }
  },

  'redis-full': async ({ world: { redis } }) => {
    await redis!.command('CONFIG', 'SET', 'maxmemory', '1');
    await sleep(1_500);
    await redis!.command('CONFIG', 'SET', 'maxmemory', '0');
    await sleep(300);
  },

  'redis-frozen': async ({ world: { redis } }) => {
    redis!.signal('SIGSTOP');
    await sleep(2_000);
    redis!.signal('SIGCONT');
    await sleep(300);
  },

  /** Beyond the lease of five seconds: another worker has taken over by the time it goes on. */
  'worker-frozen': async ({ world, random }) => {
    await sleep(random.next() * 300);
    const { host } = random.pick(world.seats.slice(1));
    host!.signal('SIGSTOP');
    await sleep(5_500 + random.next() * 1_000);
    host!.signal('SIGCONT');
    await sleep(500);
  },

  'channel-refuses': (scene) => breakNetwork(scene, 'refuse'),
  'channel-silent': (scene) => breakNetwork(scene, 'blackhole'),
  'channel-trickles': (scene) => breakNetwork(scene, 'trickle'),
  'channel-resets': (scene) => breakNetwork(scene, 'reset'),
  'channel-answers-lost': (scene) => breakNetwork(scene, 'lose-answers'),

  'disk-full': fillDisk,
  'old-backup-restored': restoreBackup,

  /** Several of the above at once, so that each meets what the others have left half done. */
  storm: async (scene) => {
    const { random, notes, world } = scene;
    const names = random
      .shuffled(STORMY.filter((name) => world.redis || !name.startsWith('redis')))
      .slice(0, 3);
    notes.push(names.join(' + '));
    // One may not find what another has broken, such as a host to freeze.
    await Promise.allSettled(names.map((name) => FAULTS[name]!({ ...scene, notes: [] })));
  },
} satisfies Record<string, Fault>;

const STORMY: readonly (keyof typeof FAULTS)[] = [
  ...(['host-killed', 'failpoint', 'postgres-connections-ended', 'commit-cut', 'redis-killed'] as const),
  ...(['redis-emptied', 'channel-resets', 'channel-answers-lost', 'channel-refuses'] as const),
];

/** Arms the host in this seat, waits for its death there, and kills it where it does not come by. */
async function dieAt({ world, random, notes }: Scene, point: Failpoint, seat: Seat): Promise<void> {
  const { host } = seat;
  if (!host) return;
  const nth = 1 + Math.floor(random.next() * 3);
  await writeFile(seat.failpointFile, JSON.stringify({ name: point.name, nth }));
  const died = world.expectEnd(seat);
  process.kill(host.pid, 'SIGUSR2');
  const reached = await Promise.race([died.then(() => true), sleep(REACHED_WITHIN_MS, false)]);
  notes.push(reached ? point.name : `${point.name} (unreached)`);
  if (!reached) await host.kill('SIGKILL');
}

async function breakNetwork({ world, random, notes }: Scene, fault: NetworkFault): Promise<void> {
  const shops = random.chance(0.3) ? world.shops : [random.pick(world.shops)];
  notes.push(shops.map(({ name }) => name).join(' + '));
  await Promise.all(shops.map(({ proxy }) => proxy.begin(fault)));
  await sleep(1_500 + random.next() * 1_500);
  await Promise.all(shops.map(({ proxy }) => proxy.heal()));
  await sleep(300);
}

const END_CONNECTIONS = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'onhand%' AND pid <> pg_backend_pid()`;
