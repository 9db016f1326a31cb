import { createHash } from 'node:crypto';
import { getDirectiveValues, GraphQLError, type GraphQLResolveInfo } from 'graphql';
import { ShopRefusal } from './refusal';

interface Attempt {
  parameters: string;
  /** Absent while it is being applied. */
  outcome?: { answer: unknown } | { failed: true };
}

/**
 * Keys of mutations (shopify.dev/docs/api/usage/idempotent-requests): the same key with the same parameters is
 * applied once and answered alike, another use of it is refused.
 */
export class Idempotency {
  private readonly attempts = new Map<string, Attempt>();

  /**
   * Applies a mutation whose field has `@idempotent`. Throws `GraphQLError` where it has none, as Shopify does since
   * 2026-04, and `ShopRefusal` where the key is in use, was used otherwise, or belongs to a failed attempt.
   */
  async once<T>(info: GraphQLResolveInfo, parameters: unknown, apply: () => T | Promise<T>): Promise<T> {
    const key = keyOf(info);
    const hash = createHash('sha256')
      .update(JSON.stringify([info.fieldName, parameters]))
      .digest('hex');
    const known = this.attempts.get(key);
    if (known) return answerOf(known, hash) as T;
    const attempt: Attempt = { parameters: hash };
    this.attempts.set(key, attempt);
    try {
      const answer = await apply();
      attempt.outcome = { answer };
      return answer;
    } catch (error) {
      attempt.outcome = { failed: true };
      throw error;
    }
  }
}

function answerOf({ parameters, outcome }: Attempt, hash: string): unknown {
  if (parameters !== hash)
    throw coded(
      'IDEMPOTENCY_KEY_PARAMETER_MISMATCH',
      'The same idempotency key cannot be used with different operation parameters.',
    );
  if (!outcome)
    throw coded('IDEMPOTENCY_CONCURRENT_REQUEST', 'This request is currently in progress, please try again.');
  if ('failed' in outcome)
    throw coded(
      'IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED',
      'A previous request with this idempotency key failed. Retry with a new idempotency key.',
    );
  return outcome.answer;
}

function coded(code: string, message: string): ShopRefusal {
  return new ShopRefusal([{ field: null, message, code }]);
}

function keyOf({ schema, fieldNodes, fieldName, variableValues }: GraphQLResolveInfo): string {
  const directive = schema.getDirective('idempotent');
  const [node] = fieldNodes;
  const given = directive && node && getDirectiveValues(directive, node, variableValues);
  const refused = (message: string) =>
    new GraphQLError(message, { nodes: fieldNodes, path: [fieldName], extensions: { code: 'BAD_REQUEST' } });
  if (!given) throw refused('The @idempotent directive is required for this mutation but was not provided.');
  const key = String(given.key);
  if (key.trim() === '') throw refused('The idempotency key cannot be an empty string or whitespace only.');
  return key;
}
