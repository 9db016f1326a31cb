import type { Shop } from './shop';
import type { World } from './world';

/** What a call's way to the shop may add: it is granted a moment before it is sent. */
const GRACE_MS = 60;

/** I7, counted in the shop's own log over all hosts together: in no window more calls than the limit lets pass. */
export function checkCalls(world: World, { traits, calls }: Shop): void {
  const { perSecond, burst, name } = traits;
  const sent = calls.map(({ sentAtMs }) => sentAtMs).sort((a, b) => a - b);
  let units = burst;
  let atMs = 0;
  let worst = 0;
  for (const sentAtMs of sent) {
    units = Math.min(burst, units + ((sentAtMs - atMs) * perSecond) / 1000) - 1;
    atMs = sentAtMs;
    worst = Math.min(worst, units);
  }
  const allowed = (GRACE_MS * perSecond) / 1000;
  if (-worst > allowed)
    world.violate(
      'I7',
      `${name} saw ${(-worst).toFixed(1)} calls more than ${burst} and ${perSecond} a second allow`,
    );
}
