/** Whether the server at the other end still answers: asked by a request that costs it nothing. */

import type { Health } from '../../machines/contracts.ts';
import type { Failure } from '../../machines/failure.ts';
import type { RequestOptions, Session } from '../context.ts';
import type { SessionError } from './session-error.ts';

export interface LivenessParts {
  readonly request: (method: string, params: unknown, options: RequestOptions) => Promise<unknown>;
  readonly inFlight: () => number;
  /** Of the server, as it declared them. */
  readonly capabilities: () => unknown;
  readonly ended: () => Failure | null;
}

export interface Liveness {
  /** It said something. */
  heard(): void;
  /** A call timed out. */
  gaveUp(): void;
  /** The method to ask by, until another one is answered. */
  ask(method: string): void;
  readonly check: Session['check'];
}

export function createLiveness({ request, inFlight, capabilities, ended }: LivenessParts): Liveness {
  /** A call was given up without a word from the server since. */
  let unanswered = false;
  /** How it is asked whether it answers: what it answered last. */
  let question = 'ping';

  /** Some servers leave a ping without an answer, as any method that they don't know; what they have to list they know. */
  async function check(signal: AbortSignal, again: boolean): Promise<Health> {
    const failed = ended();
    if (failed !== null) return { status: 'silent', failure: failed };
    if (inFlight() > 0 && !unanswered) return { status: 'well' };
    const has = (capabilities() ?? {}) as Readonly<Record<string, unknown>>;
    const listed = ['tools', 'prompts', 'resources'].find((kind) => has[kind] != null);
    const method = again && listed !== undefined ? `${listed}/list` : question;
    try {
      await request(method, {}, { signal });
    } catch (error) {
      const { failure, fate } = error as SessionError;
      if (fate !== 'answered') return { status: 'silent', failure };
    }
    question = method;
    return { status: 'well' };
  }

  return {
    heard() {
      unanswered = false;
    },
    gaveUp() {
      unanswered = true;
    },
    ask(method) {
      question = method;
    },
    check,
  };
}
