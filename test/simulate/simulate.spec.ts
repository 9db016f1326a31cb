import { PLANTS } from './plants';
import { plantNamed } from './plant';
import { planOf } from './plan';
import { shrink } from './shrink';
import { Worker } from './workers';

const SERVER = process.env.ONHAND_TEST_SERVER_URL!;
/** A bug that nearly every seed meets. */
const PLANT = 'released-twice';
const SEED = 1;

describe('the simulation', () => {
  let sound: Worker;
  let planted: Worker;

  beforeAll(async () => {
    [sound, planted] = await Promise.all([Worker.start(SERVER), Worker.start(SERVER, PLANT)]);
  }, 120_000);

  afterAll(() => Promise.all([sound.end(), planted.end()]), 120_000);

  test('a seed keeps every invariant, and makes the same trace each time', async () => {
    const first = await sound.run({ seed: SEED });
    expect(first.violations).toEqual([]);
    expect(first.events).toBeGreaterThan(500);
    expect(first.faults).toBeGreaterThanOrEqual(10);
    const other = await sound.run({ seed: SEED + 1 });
    expect(other.digest).not.toBe(first.digest);
    const again = await sound.run({ seed: SEED });
    expect(again.digest).toBe(first.digest);
  }, 120_000);

  test('a planted bug is found, and a plan without its acts does not fail', async () => {
    const { violations } = await planted.run({ seed: SEED });
    expect(violations.map(({ invariant }) => invariant)).toContain('I2');
    const idle = await planted.run({ plan: { ...planOf(SEED), acts: [] } });
    expect(idle.violations).toEqual([]);
  }, 120_000);

  test('every planted bug still has its place in the sources', () => {
    expect(PLANTS.length).toBeGreaterThanOrEqual(8);
    for (const { name } of PLANTS) expect(() => plantNamed(name)).not.toThrow();
    expect(() => plantNamed('no-such-bug')).toThrow(/there are/);
  });

  test('a failing plan shrinks to the acts that it needs', async () => {
    const plan = planOf(SEED);
    const needed = [plan.acts[3]!, plan.acts[17]!];
    const shrunk = await shrink(plan, async ({ acts }) => needed.every((act) => acts.includes(act)));
    expect(shrunk.plan.acts).toEqual(needed);
  });
});
