import { parsedUrl } from '../channel-api';
import { Problem } from '../http/problem';

/**
 * The code in what came back from a consent: in the address that the browser was sent to, or alone, as it was copied
 * from there. Throws `Problem` where the owner refused, or consented for another channel.
 */
export function codeOf(answer: string, channel: string): string {
  const text = answer.trim();
  if (!/^https?:/i.test(text)) return decoded(text);
  const parameters = parsedUrl(text)?.searchParams ?? new URLSearchParams();
  const state = parameters.get('state');
  if (state !== null && state !== channel)
    throw refused(`is of the consent for ${JSON.stringify(state.slice(0, 100))}; give it to that channel`);
  const code = parameters.get('code');
  if (code) return code;
  throw refused(
    parameters.has('error')
      ? 'says that the consent was not given; open the address again and agree'
      : 'has no code; copy the whole address from the browser after the consent',
  );
}

function refused(message: string): Problem {
  return new Problem('invalid-request', `the answer ${message}`, { errors: [{ field: 'answer', message }] });
}

function decoded(code: string): string {
  try {
    return code.includes('%') ? decodeURIComponent(code) : code;
  } catch {
    return code;
  }
}
