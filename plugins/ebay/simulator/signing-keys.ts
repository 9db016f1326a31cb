import {
  createHash,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
  verify,
} from 'node:crypto';
import type { SimulatedReply, SimulatedRequest } from 'onhand/channel-api';
import { EbayRefusal } from './refusal';
import { jsonOf } from './request-json';

const LIFETIME_SECONDS = 3 * 365 * 86_400;
/** What a signature has to cover, each as a component's name of RFC 9421. */
const COVERED = ['content-digest', 'x-ebay-signature-key', '@method', '@path', '@authority'];

export interface SigningKeyView {
  signingKeyId: string;
  signingKeyCipher: string;
  privateKey?: string;
  publicKey: string;
  jwe: string;
  creationTime: number;
  expirationTime: number;
}

/**
 * Digital signatures of sellers in the EU and the UK: keys of the Key Management API, and the four headers that a
 * signed call carries, verified as eBay's guide on them and RFC 9421 say.
 */
export class SigningKeys {
  private readonly keys = new Map<string, { view: SigningKeyView; publicKey: KeyObject }>();

  /** The private key is given here and never again. */
  create(cipher: 'ED25519' | 'RSA'): SigningKeyView {
    const { privateKey, publicKey } =
      cipher === 'ED25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
    const now = Math.floor(Date.now() / 1000);
    const view = {
      signingKeyId: randomUUID(),
      signingKeyCipher: cipher,
      publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      // Opaque to whoever carries it: five parts of base64url, as a JWE in its compact form has.
      jwe: Array.from({ length: 5 }, () => randomBytes(24).toString('base64url')).join('.'),
      creationTime: now,
      expirationTime: now + LIFETIME_SECONDS,
    };
    this.keys.set(view.jwe, { view, publicKey });
    return { ...view, privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64') };
  }

  answerCreate(request: SimulatedRequest): SimulatedReply {
    const cipher = jsonOf(request).signingKeyCipher ?? 'ED25519';
    if (cipher !== 'ED25519' && cipher !== 'RSA')
      throw new EbayRefusal(400, 210000, 'signingKeyCipher must be ED25519 or RSA', 'API_KEY_MANAGEMENT');
    return { status: 200, body: this.create(cipher) };
  }

  list(): SimulatedReply {
    return { status: 200, body: { signingKeys: [...this.keys.values()].map(({ view }) => view) } };
  }

  one(signingKeyId: string): SimulatedReply {
    const found = [...this.keys.values()].find(({ view }) => view.signingKeyId === signingKeyId);
    if (!found) throw new EbayRefusal(404, 210001, 'The signing key was not found', 'API_KEY_MANAGEMENT');
    return { status: 200, body: found.view };
  }

  /** Throws `EbayRefusal` unless the call is signed, over all that it has to be, with a key that was made here. */
  require({ method, path, headers, body }: SimulatedRequest): void {
    const jwe = headers['x-ebay-signature-key'];
    if (jwe === undefined) throw refusal(215001, 'The x-ebay-signature-key header is missing');
    const key = this.keys.get(jwe);
    if (!key) throw refusal(215002, 'The x-ebay-signature-key header is not a key of this application');
    const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
    if (body.length > 0 && headers['content-digest'] !== digest)
      throw refusal(215003, 'The Content-Digest header does not match the body');
    const [, parameters, covered] = /^sig1=((\([^)]*\));.*)$/.exec(headers['signature-input'] ?? '') ?? [];
    const names = [...(covered ?? '').matchAll(/"([^"]+)"/g)].map(([, name]) => name!);
    const missing = COVERED.find(
      (name) => !names.includes(name) && (name !== 'content-digest' || body.length > 0),
    );
    if (parameters === undefined || missing !== undefined)
      throw refusal(215120, `The Signature-Input header does not cover ${missing ?? 'what it must'}`);
    const known: Record<string, string | undefined> = {
      ...headers,
      '@method': method,
      '@path': path,
      '@authority': headers.host,
    };
    const lines = names.map((name) => `"${name}": ${known[name] ?? ''}`);
    const base = [...lines, `"@signature-params": ${parameters}`].join('\n');
    const [, signature = ''] = /^sig1=:([A-Za-z0-9+/=]+):$/.exec(headers.signature ?? '') ?? [];
    const algorithm = key.view.signingKeyCipher === 'RSA' ? 'sha256' : null;
    if (!verify(algorithm, Buffer.from(base), key.publicKey, Buffer.from(signature, 'base64')))
      throw refusal(215122, 'The signature is not valid');
  }
}

function refusal(errorId: number, message: string): EbayRefusal {
  return new EbayRefusal(400, errorId, message, 'ACCESS');
}
