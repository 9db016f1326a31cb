import type { BufferWindow } from '../config/buffer-policy';

/** The share of a window that is withheld at a moment: all of it within, then less with each step, 0 outside. */
export function shareAt({ from, to, releaseSteps, releaseSeconds }: BufferWindow, nowMs: number): number {
  const endMs = Date.parse(to);
  if (nowMs < Date.parse(from)) return 0;
  if (nowMs < endMs) return 1;
  const steps = 1 + Math.floor((nowMs - endMs) / (releaseSeconds * 1000));
  return Math.max(0, (releaseSteps - steps) / releaseSteps);
}

/** Moments at which the share changes, ms since 1970. */
export function edgesOf({ from, to, releaseSteps, releaseSeconds }: BufferWindow): number[] {
  const endMs = Date.parse(to);
  const steps = Array.from({ length: releaseSteps }, (_, step) => endMs + step * releaseSeconds * 1000);
  return [Date.parse(from), ...steps];
}
