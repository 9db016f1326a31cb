import { setTimeout as sleep } from 'node:timers/promises';
import { SeededRandom } from '../../src/replay/random';
import { AnswerBook } from './answers';
import { untilAtRest } from './at-rest';
import { leakedSecrets } from './canaries';
import type { CrashWorld } from './crash-world';
import type { Fault } from './faults';
import { brokenInvariants } from './invariants';
import { SKUS } from './shops';
import { Traffic } from './traffic';

export interface RoundResult {
  /** Of the fault, until hosts are up again, and until all is at rest and looked at. */
  seconds: { fault: number; heal: number; rest: number };
  /** What was asked and answered 2xx in this round, and what failed. */
  answered: number;
  failures: number;
  notes: string[];
  broken: string[];
}

const FEW = 8;
const MANY = 400;

/** A fresh world: hosts run, the shelves are stocked, every shop shows it. */
export async function openWorld(world: CrashWorld, seed: number): Promise<Traffic> {
  await world.startHosts();
  const traffic = new Traffic(world, new AnswerBook(), seed);
  await Promise.all(SKUS.map((sku) => world.api.post('/v1/skus', { sku })));
  await Promise.all(SKUS.map((sku) => traffic.restock(sku, sku.startsWith('FEW') ? FEW : MANY)));
  const open = await untilAtRest(world, traffic);
  if (open.length > 0)
    throw new Error(`the world does not come to rest before any fault: ${open.join('; ')}`);
  return traffic;
}

/** Traffic, a fault amid it, healing, rest, and a look at everything that must hold. */
export async function playRound(
  world: CrashWorld,
  traffic: Traffic,
  { fault, seed }: { fault: Fault; seed: number },
): Promise<RoundResult> {
  const began = performance.now();
  const { book } = traffic;
  const before = { answered: book.answered, failures: book.failures };
  const notes: string[] = [];
  traffic.start();
  await sleep(300);
  const failed = await fault({ world, traffic, random: new SeededRandom(seed, 'fault'), notes }).then(
    () => [],
    (error: Error) => [`the fault itself failed: ${error.stack}`],
  );
  const faultEnded = performance.now();
  // Buyers do not wait until hosts are up again.
  await world.heal();
  await traffic.stop();
  const healed = performance.now();
  await book.askAgain(world.webUrls);
  await traffic.deliverLate();
  const broken = [...failed, ...(await untilAtRest(world, traffic))];
  // What is not at rest fails the other comparisons as well, and would drown what is wrong.
  if (broken.length === 0) {
    broken.push(...(await brokenInvariants(world, traffic)));
    broken.push(...(await leakedSecrets(world)));
  }
  const seconds = {
    fault: (faultEnded - began) / 1000,
    heal: (healed - faultEnded) / 1000,
    rest: (performance.now() - healed) / 1000,
  };
  const answered = book.answered - before.answered;
  return { seconds, answered, failures: book.failures - before.failures, notes, broken };
}
