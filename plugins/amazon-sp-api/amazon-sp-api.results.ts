import type { PushResult } from 'onhand/channel-api';
import type { WireIssue } from './amazon-sp-api.wire';

/** A row that Amazon refuses for what it says: the same would be refused again. */
export function rejected(pushId: string, code: string, reason: string): PushResult {
  return { pushId, outcome: 'rejected', code, reason, retryable: false };
}

/** A row that something else than itself kept from being answered; sent again without blame. */
export function unanswered(pushId: string, error: { code: string; message: string }): PushResult {
  return { pushId, outcome: 'rejected', code: error.code, reason: error.message, retryable: true };
}

export function reasonOf(issues: readonly WireIssue[]): string {
  const messages = issues.map(({ message }) => message).join('; ');
  return messages.slice(0, 500) || 'Amazon gives no reason';
}
