/** Takes the values of secrets out of text. Shorter ones are left: masking `a` or `8080` would only garble it. */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  const telling = [...new Set(secrets)].filter((secret) => secret.length >= SHORTEST).sort(longestFirst);
  if (telling.length === 0) return (text) => text;
  return (text) => telling.reduce((left, secret) => left.replaceAll(secret, '[redacted]'), text);
}

/** Text without what stands before the `@` of an address: installers print those of their registries. */
export const withoutLogins = (text: string): string => text.replaceAll(/\/\/[^\s/'"]+@/g, '//[redacted]@');

const SHORTEST = 6;

/** One secret may be the beginning of another. */
const longestFirst = (a: string, b: string) => b.length - a.length;
