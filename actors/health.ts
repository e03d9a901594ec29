import { fromPromise } from 'xstate';
import type { Health, HealthActor, HealthInput } from '../machines/contracts.ts';
import { createFailure } from '../machines/failure.ts';
import type { ActorContext } from './context.ts';

/** Asks a plugin in service whether it still answers; the machine says when, and for how long. */
export function createHealthActor(context: Pick<ActorContext, 'instances'>): HealthActor {
  return fromPromise<Health, HealthInput>(async ({ input: { plugin, generation, failures }, signal }) => {
    const instance = context.instances.get(plugin);
    const session = instance?.generation === generation ? instance.session : null;
    if (instance == null || session === null) {
      return { status: 'silent', failure: createFailure('RUN_UNRESPONSIVE', { message: 'It has no connection.' }) };
    }
    const found = await session.check(signal, failures > 0);
    if (found.status === 'well') return found;
    const stderrTail = instance.process.stderrTail().slice(-20);
    return { ...found, failure: { ...found.failure, stderrTail } };
  });
}
