import type { ChannelStatus } from '../types';
import { AskButton } from './ask';

/** Pause and resume: the live status shows what became of it. */
export function ChannelActions({ channel: { name, paused } }: { channel: ChannelStatus }) {
  const path = `/v1/channels/${encodeURIComponent(name)}/pause`;
  return paused ? (
    <AskButton
      needs="channels:write"
      primary
      label="Resume pushing"
      question={{
        title: `Push to ${name} again`,
        explains: `It was paused by ${paused.by}: ${paused.reason}. What changed since is pushed at once.`,
        method: 'DELETE',
        path,
        keepsNoReason: true,
        confirm: 'Resume',
        done: `${name} is pushed to again.`,
      }}
      onDone={() => undefined}
    />
  ) : (
    <AskButton
      needs="channels:write"
      label="Pause pushing"
      question={{
        title: `Pause pushing to ${name}`,
        explains:
          'No quantity is sent until it is resumed; orders are taken as ever. What it shows meanwhile may sell more than there is.',
        method: 'PUT',
        path,
        confirm: 'Pause',
        done: `${name} is paused.`,
      }}
      onDone={() => undefined}
    />
  );
}
