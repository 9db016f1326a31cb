import { type ChannelHost, isChannelError } from 'onhand/channel-api';
import { type SigningKey, signingKeyOf } from './ebay.signature';

/** A key pair as createSigningKey gave it. */
export interface MadeKey {
  privateKey: string;
  jwe: string;
  /** In s, where eBay says so; about three years. */
  expirationTime?: number;
}

const KEPT_AS = 'signing-key';
/** A call that is signed now may arrive a little later, by a clock that is another one. */
const UNUSED_BEFORE_END_SECONDS = 86_400;

/**
 * The key that eBay made for this account, one for all hosts; another is made where there is none or it ends. Where
 * nothing secret can be kept, it is of this process alone.
 */
export async function keptSigningKey(
  { secrets, clock, log }: Pick<ChannelHost, 'secrets' | 'clock' | 'log'>,
  make: () => Promise<MadeKey>,
): Promise<SigningKey> {
  const text = await secrets.get(KEPT_AS);
  const kept = text === undefined ? undefined : (JSON.parse(text) as MadeKey);
  const latest = clock.now().getTime() / 1000 + UNUSED_BEFORE_END_SECONDS;
  if (kept && (kept.expirationTime ?? Infinity) > latest) return signingKeyOf(kept.privateKey, kept.jwe);
  const made = await make();
  try {
    if (await secrets.compareAndSet(KEPT_AS, text, JSON.stringify(made)))
      return signingKeyOf(made.privateKey, made.jwe);
  } catch (error) {
    if (!isChannelError(error) || error.code !== 'channel-request') throw error;
    log.warn(`a signing key was made for this process alone: ${error.message}`);
    return signingKeyOf(made.privateKey, made.jwe);
  }
  const theirs = JSON.parse((await secrets.get(KEPT_AS)) ?? text ?? '{}') as MadeKey;
  return signingKeyOf(theirs.privateKey, theirs.jwe);
}
