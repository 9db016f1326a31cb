import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { ChannelRequestError } from 'onhand/channel-api';

/** A key pair of eBay's Key Management API: the private key, and the public one as a JWE that travels along. */
export interface SigningKey {
  privateKey: KeyObject;
  jwe: string;
}

/** Throws `ChannelRequestError` where it is no PKCS #8 key, in PEM or bare Base64. */
export function signingKeyOf(privateKey: string, jwe: string): SigningKey {
  try {
    const base64 = privateKey.replace(/-----[^-]+-----/g, '').replace(/\s+/g, '');
    const key = createPrivateKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'pkcs8' });
    return { privateKey: key, jwe };
  } catch {
    throw new ChannelRequestError(
      'digitalSignature.privateKey is not a private key as createSigningKey gives it (PKCS #8 in Base64)',
    );
  }
}

/**
 * The headers that make a call of a seller in the EU or the UK accepted, by RFC 9421 and RFC 9530 as
 * https://developer.ebay.com/develop/guides/digital-signatures-for-apis has them. Pure but for RSA, whose
 * signatures are the same each time too.
 */
export function signatureHeaders(
  call: { method: string; url: string; body?: string },
  { privateKey, jwe }: SigningKey,
  createdSeconds: number,
): Record<string, string> {
  const { host, pathname } = new URL(call.url);
  const digest: Record<string, string> =
    call.body === undefined
      ? {}
      : { 'content-digest': `sha-256=:${createHash('sha256').update(call.body).digest('base64')}:` };
  const covered: Record<string, string> = {
    ...digest,
    'x-ebay-signature-key': jwe,
    '@method': call.method,
    '@path': pathname,
    '@authority': host,
  };
  const names = Object.keys(covered).map((name) => `"${name}"`);
  const parameters = `(${names.join(' ')});created=${createdSeconds}`;
  const lines = Object.entries(covered).map(([name, value]) => `"${name}": ${value}`);
  const base = [...lines, `"@signature-params": ${parameters}`].join('\n');
  const algorithm = privateKey.asymmetricKeyType === 'rsa' ? 'sha256' : null;
  const signature = sign(algorithm, Buffer.from(base), privateKey).toString('base64');
  return {
    ...digest,
    'x-ebay-signature-key': jwe,
    'signature-input': `sig1=${parameters}`,
    signature: `sig1=:${signature}:`,
  };
}
