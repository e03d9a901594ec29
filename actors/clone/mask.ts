import type { Credential } from '../../launchers/plan.ts';

/**
 * Takes logins out of text that git or a server wrote: the source's own in any spelling, and whatever stands before an
 * `@` in a URL (the user's `insteadOf` may hold a token).
 */
export function createMask(credential: Credential | undefined): (text: string) => string {
  const secrets = credential === undefined ? [] : [credential.username, credential.reveal()].filter(isTelling);
  const spellings = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]);
  return (text) => {
    const bare = text.replace(/\b(https?:\/\/)[^\s/@'"]+@/g, '$1');
    return spellings.reduce((masked, secret) => masked.replaceAll(secret, '[redacted]'), bare);
  };
}

/** Masking `git` or `me` would only garble the message. */
const isTelling = (secret: string) => secret.length >= 6;
