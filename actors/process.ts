import { fromCallback } from 'xstate';
import type { ProcessActor, ProcessCommand, ProcessInput } from '../machines/contracts.ts';
import type { ActorContext } from './context.ts';
import { createPortLeases } from './ports.ts';
import { createLife } from './process/life.ts';
import { createRemoteLife } from './process/remote-life.ts';

/**
 * The process actor: spawns on the event `spawn`, drains the program's output for ever, and reports `group.empty` only
 * when its group has no live member and nothing with its cookie is left. It ends nothing by itself; the machine says when.
 * Stopped by XState with something alive (a bug elsewhere) it kills that at once.
 */
export function createProcessActor(context: ActorContext): ProcessActor {
  const ports = createPortLeases();
  return fromCallback<ProcessCommand, ProcessInput>(({ input, sendBack, receive }) => {
    const life =
      input.spec.source.kind === 'remote'
        ? createRemoteLife(context, input, sendBack)
        : createLife(context, ports, input, sendBack);
    receive((command) => life.obey(command));
    return () => life.discard();
  });
}
