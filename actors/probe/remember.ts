import type { Transport } from '../../launchers/plan.ts';
import type { Attempt, ProbeInput } from '../../machines/contracts.ts';
import type { ActorContext } from '../context.ts';
import type { Found } from './endpoints.ts';

/**
 * Stores what a successful probe learned, so that the next start of the same environment guesses nothing. An HTTP server
 * that came up without a lease gets one next time. A fact that can't be written only costs the next start its guesses.
 */
export async function remember(
  { store, log }: ActorContext,
  { plugin, environment, attempt }: ProbeInput,
  { session, endpoint, port }: Found,
): Promise<void> {
  const learned: Attempt = {
    ...attempt,
    transport: session.transport,
    endpoint,
    port: usesPort(session.transport) && port !== null ? 'lease' : attempt.port,
    era: session.era ?? attempt.era,
  };
  try {
    const known = await store.readFacts(plugin);
    const unchanged = known.attemptKey === environment.key && JSON.stringify(known.attempt) === JSON.stringify(learned);
    if (!unchanged) await store.writeFacts(plugin, { attempt: learned, attemptKey: environment.key });
  } catch (error) {
    log.warn({ plugin, error: (error as Error).message }, 'what the probe learned could not be stored');
  }
}

const usesPort = (transport: Transport): boolean => transport !== 'stdio';
