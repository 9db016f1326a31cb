import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { SimulatedRequest } from 'onhand/channel-api';

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/(\w+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/**
 * What is wrong with the signature that AWS asks of every call (Signature Version 4); undefined where it is right.
 * All trust in a queue is in it, for its messages are not signed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function signatureFault(
  request: SimulatedRequest,
  credentials: AwsCredentials,
): 'key' | 'signature' | undefined {
  const parts = AUTHORIZATION.exec(request.headers.authorization ?? '');
  if (!parts) return 'signature';
  const [, accessKeyId, day, region, service, signedHeaders, signature] = parts as unknown as string[];
  if (accessKeyId !== credentials.accessKeyId) return 'key';
  const scope = `${day}/${region}/${service}/aws4_request`;
  const time = request.headers['x-amz-date'] ?? '';
  const names = (signedHeaders as string).split(';');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical(request, names))].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<Buffer | string>(
    (secret, part) => hmac(secret, part as string),
    `AWS4${credentials.secretAccessKey}`,
  );
  const isRight = timingSafeEqual(hmac(key, toSign), Buffer.from(signature as string, 'hex'));
  return isRight ? undefined : 'signature';
}

function canonical(
  { method, path, query, headers, body }: SimulatedRequest,
  names: readonly string[],
): string {
  const sortedQuery = [...query]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&');
  const lines = names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/\s+/g, ' ')}\n`);
  return [method, path, sortedQuery, lines.join(''), names.join(';'), sha256(body)].join('\n');
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
