const REDACTED = '[redacted]';

export type Redactor = (text: string) => string;

/**
 * Answers a function that replaces every known secret in a text, in the forms a secret takes on its way:
 * as it is, URI-encoded, JSON-escaped and Base64. It looks for values, not for keys: a secret that an echo
 * or a path carries has no key beside it.
 */
export function createRedactor(secrets: readonly string[]): Redactor {
  const forms = new Set(secrets.filter((secret) => secret !== '').flatMap(formsOf));
  // Longest first: a secret that contains another must not leave its rest behind.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((result, form) => result.replaceAll(form, REDACTED), text);
}

function formsOf(secret: string): string[] {
  const wellFormed = Buffer.from(secret, 'utf8');
  return [
    secret,
    encodeURIComponent(wellFormed.toString('utf8')),
    JSON.stringify(secret).slice(1, -1),
    wellFormed.toString('base64'),
    wellFormed.toString('base64url'),
  ];
}
