import { type Connecting, connectStdio, handshake } from '../mcp/connect.ts';
import { SessionError } from '../mcp/session-error.ts';
import type { Verdict } from './network.ts';

export interface StdioSide {
  readonly connecting: Connecting;
  readonly era: 'auto' | 'legacy' | 'modern';
  readonly noise: (line: string) => void;
  readonly signal: AbortSignal;
  /** Called when the program answers: from then on it is a stdio server. */
  readonly answered: () => void;
}

/**
 * The stdio side of the race: the handshake is written at once (a pipe keeps it until the program reads) and waits as
 * long as it takes. A program that never answers, or ends, leaves this pending.
 */
export async function probeStdio({ connecting, era, noise, signal, answered }: StdioSide): Promise<Verdict> {
  const session = connectStdio(connecting, noise);
  try {
    const outcome = await handshake(session, { era, signal, timeout: Number.POSITIVE_INFINITY, answered });
    if (outcome.ok) return { kind: 'found', found: { session, endpoint: null, port: null } };
    return { kind: 'failed', failure: outcome.failure, retry: outcome.fresh === null ? null : { era: outcome.fresh } };
  } catch (thrown) {
    if (thrown instanceof SessionError) return await new Promise<never>(() => {});
    throw thrown;
  }
}
