import type { Credential } from '../../launchers/plan.ts';
import { createRedactor } from '../redact.ts';

/**
 * Takes logins out of text that git or a server wrote: the source's own in any spelling, and whatever stands before an
 * `@` in a URL (the user's `insteadOf` may hold a token).
 */
export function createMask(credential: Credential | undefined): (text: string) => string {
  const redact = createRedactor(credential === undefined ? [] : [credential.username, credential.reveal()]);
  return (text) => redact(text.replace(/\b(https?:\/\/)[^\s/@'"]+@/g, '$1'));
}
