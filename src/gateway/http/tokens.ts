/** Bearer tokens: who may come in where others can knock. The tokens themselves are kept as digests alone. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { FailureError } from '../../../actors/failure-error.ts';
import { resolveReferences } from '../../../actors/process/references.ts';
import { SupervisorError, supervisorError } from '../../errors.ts';
import type { TokenOptions } from '../options.ts';

/** Shorter ones can be guessed. */
const SHORTEST = 16;

export interface Tokens {
  /** Which of them a request has: its index, or null for one that is none of them. */
  find(presented: string): number | null;
  /** By which each can be known again, in their order. */
  readonly digests: readonly string[];
}

/**
 * Resolves `${env:}`, `${file:}` and `${cmd:}` in them. Rejects with CONFIG_REFERENCE, or CONFIG_INVALID for one that is too
 * short; neither says what stood there.
 */
export async function createTokens(
  tokens: readonly TokenOptions[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Tokens> {
  const given = Object.fromEntries(tokens.map(({ token }, index) => [`tokens[${index}]`, token]));
  const { env: resolved } = await resolveReferences(given, { callerEnv: env }).catch((error: unknown) => {
    throw error instanceof FailureError ? new SupervisorError(error.failure, null, { cause: error }) : error;
  });
  const digests = Object.entries(resolved).map(([name, token]) => {
    if (token.length < SHORTEST || /[^\x21-\x7e]/.test(token)) {
      const message = `${name} must be at least ${SHORTEST} printable characters without spaces.`;
      throw supervisorError('CONFIG_INVALID', { message });
    }
    return digest(token);
  });
  return {
    digests: digests.map((known) => known.toString('hex')),
    find(presented) {
      const candidate = digest(presented);
      let found: number | null = null;
      // All of them, whichever fits: the time tells nothing.
      for (const [index, known] of digests.entries()) if (timingSafeEqual(known, candidate)) found = index;
      return found;
    },
  };
}

const digest = (token: string) => createHash('sha256').update(token).digest();

/** The token of `Authorization: Bearer …`; null when there is no such header. */
export function bearerOf(authorization: string | undefined): string | null {
  const found = authorization === undefined ? null : /^bearer +(\S+) *$/i.exec(authorization);
  return found?.[1] ?? null;
}
