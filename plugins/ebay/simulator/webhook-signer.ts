import { createHash, createSign, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import type { WebhookDelivery } from 'onhand/channel-api';

/** Signs notifications as eBay does: ECDSA over the bytes of the body, with SHA-1, as its public key says. */
export class WebhookSigner {
  readonly keyId = randomUUID();
  private readonly privateKey: KeyObject;
  private readonly publicKey: KeyObject;

  constructor() {
    ({ privateKey: this.privateKey, publicKey: this.publicKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
    }));
  }

  /** As `GET /public_key/{id}` gives it: a PEM on one line. */
  get publicKeyView(): { key: string; algorithm: string; digest: string } {
    const pem = this.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    return { key: pem.replaceAll('\n', ''), algorithm: 'ECDSA', digest: 'SHA1' };
  }

  sign(payload: object): WebhookDelivery {
    const body = Buffer.from(JSON.stringify(payload));
    const signature = createSign('sha1').update(body).sign(this.privateKey, 'base64');
    const header = { alg: 'ecdsa', kid: this.keyId, signature, digest: 'SHA1' };
    return {
      headers: {
        'content-type': 'application/json',
        'x-ebay-signature': Buffer.from(JSON.stringify(header)).toString('base64'),
      },
      body,
    };
  }
}

/** What an endpoint has to answer a challenge with. */
export function challengeResponse(code: string, verificationToken: string, endpoint: string): string {
  return createHash('sha256').update(code).update(verificationToken).update(endpoint).digest('hex');
}
