import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { signatureHeaders, signingKeyOf } from './ebay.signature';

/** Made for this test. Ed25519 signs the same way each time, so that all four headers can be compared. */
const PRIVATE_KEY = 'MC4CAQAwBQYDK2VwBCIEIGR1cWw+sEMMK9qBj3IYldNJGyoGl8uajfeGVQ2v4TYU';
const JWE = 'eyJhbGciOiJBMjU2R0NNS1cifQ.a.b.c.d';
const URL_OF_CALL = 'https://api.ebay.com/sell/fulfillment/v1/order/1-2/issue_refund?x=1';
const BODY = '{"reasonForRefund":"SELLER_CANCEL"}';
const CREATED = 1_772_366_400;

const DIGEST = `sha-256=:${createHash('sha256').update(BODY).digest('base64')}:`;
const PARAMETERS =
  '("content-digest" "x-ebay-signature-key" "@method" "@path" "@authority");created=1772366400';

/** As the guide spells it out, line by line. */
const BASE = [
  `"content-digest": ${DIGEST}`,
  `"x-ebay-signature-key": ${JWE}`,
  '"@method": POST',
  '"@path": /sell/fulfillment/v1/order/1-2/issue_refund',
  '"@authority": api.ebay.com',
  `"@signature-params": ${PARAMETERS}`,
].join('\n');

const call = { method: 'POST', url: URL_OF_CALL, body: BODY };

function signatureIn(headers: Record<string, string>): Buffer {
  const [, base64] = /^sig1=:(.+):$/.exec(headers.signature!)!;
  return Buffer.from(base64!, 'base64');
}

test('a call with a body is signed over its digest, key, method, path and host, without the query', () => {
  const key = signingKeyOf(PRIVATE_KEY, JWE);
  const headers = signatureHeaders(call, key, CREATED);
  expect(headers).toEqual({
    'content-digest': DIGEST,
    'x-ebay-signature-key': JWE,
    'signature-input': `sig1=${PARAMETERS}`,
    signature:
      'sig1=:ng1Kf5ZycbZQVLbtKGv3mfwgx4EKkUa2odpMRO/9U+SJLZB0j/KbQ70Q/ga7JqpCPdxlCkX4QFW7YByU2JWQAQ==:',
  });
  expect(verify(null, Buffer.from(BASE), createPublicKey(key.privateKey), signatureIn(headers))).toBe(true);
});

test('a call without a body has no digest, neither sent nor signed', () => {
  const headers = signatureHeaders(
    { method: 'GET', url: URL_OF_CALL },
    signingKeyOf(PRIVATE_KEY, JWE),
    CREATED,
  );
  expect(headers['content-digest']).toBeUndefined();
  expect(headers['signature-input']).toBe(
    'sig1=("x-ebay-signature-key" "@method" "@path" "@authority");created=1772366400',
  );
});

test('a key may be RSA, and in PEM', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const headers = signatureHeaders(call, signingKeyOf(pem, JWE), CREATED);
  expect(verify('sha256', Buffer.from(BASE), publicKey, signatureIn(headers))).toBe(true);
});

test('what is no key is told by the name of its option, and not quoted', () => {
  expect(() => signingKeyOf('not-a-private-key', JWE)).toThrow('digitalSignature.privateKey');
  expect(() => signingKeyOf('not-a-private-key', JWE)).not.toThrow(/not-a-private-key/);
});
