import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What a secret belongs to. It is sealed in with it, so that a row copied to another place does not open there. */
export interface SecretPlace {
  channel: string;
  name: string;
}

/** A secret as the database has it. */
export interface SealedSecret {
  /** Says which key opens it, and nothing of the key. */
  keyId: string;
  /** Nonce, ciphertext and tag of AES-256-GCM. */
  sealed: Buffer;
}

interface NamedKey {
  id: string;
  key: Buffer;
}

/** Keys of 32 bytes from outside the database: the first one seals, each opens what it sealed. */
export class SealingKeys {
  private readonly keys: readonly NamedKey[];

  /** In Base64, as `readSecretKeys` has checked them. */
  constructor(keys: readonly string[]) {
    this.keys = keys.map((text) => {
      const key = Buffer.from(text, 'base64');
      return {
        id: createHash('sha256').update('onhand secret key\0').update(key).digest('hex').slice(0, 8),
        key,
      };
    });
  }

  /** Undefined where there is no key at all. */
  get firstId(): string | undefined {
    return this.keys[0]?.id;
  }

  get ids(): string[] {
    return this.keys.map(({ id }) => id);
  }

  /** Undefined where there is no key at all. */
  seal(value: string, place: SecretPlace): SealedSecret | undefined {
    const [first] = this.keys;
    if (!first) return undefined;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, first.key, nonce).setAAD(boundTo(place));
    const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
    return { keyId: first.id, sealed: Buffer.concat([nonce, text, cipher.getAuthTag()]) };
  }

  /** Undefined where no key opens it, or it was altered or belongs elsewhere. */
  open({ keyId, sealed }: SealedSecret, place: SecretPlace): string | undefined {
    const key = this.keys.find(({ id }) => id === keyId)?.key;
    if (!key || sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const tag = sealed.subarray(-TAG_BYTES);
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(boundTo(place))
      .setAuthTag(tag);
    try {
      const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    } catch {
      return undefined;
    }
  }
}

function boundTo({ channel, name }: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify(['onhand channel secret', channel, name]));
}
