import type { Act, Plan } from './plan';

/** Whether the plan still fails with only these acts. */
export type Fails = (plan: Plan) => Promise<boolean>;

/**
 * The fewest acts that still fail, by leaving out ever smaller parts (Zeller's ddmin, with a bound on the tries). The
 * seed stays, and with it all that is not an act: latencies, catalogue, shops.
 */
export async function shrink(
  plan: Plan,
  fails: Fails,
  mostTries = 120,
): Promise<{ plan: Plan; tries: number }> {
  let { acts } = plan;
  let parts = 2;
  let tries = 0;
  while (acts.length > 1 && tries < mostTries) {
    const size = Math.ceil(acts.length / parts);
    let isSmaller = false;
    for (let from = 0; from < acts.length && tries < mostTries; from += size) {
      const rest: Act[] = [...acts.slice(0, from), ...acts.slice(from + size)];
      tries++;
      if (!(await fails({ ...plan, acts: rest }))) continue;
      acts = rest;
      parts = Math.max(parts - 1, 2);
      isSmaller = true;
      break;
    }
    if (isSmaller) continue;
    if (size === 1) break;
    parts = Math.min(parts * 2, acts.length);
  }
  return { plan: { ...plan, acts }, tries };
}
