/** Starting and stopping a plugin with all its instances, as its owner asks: what is sent, and when it is done. */

import type { SupervisorCommand } from '../machines/events.ts';
import { stateName } from '../machines/states.ts';
import { memberOf } from '../machines/supervisor/context.ts';
import type { Announcer } from './announcer.ts';
import type { Broker } from './broker.ts';
import { SupervisorError, supervisorError } from './errors.ts';
import type { Instances } from './instances.ts';
import type { CallOptions } from './options.ts';
import { isAtRest, type PluginSnapshot } from './status.ts';
import { until } from './wait.ts';

export interface StartStopParts {
  readonly send: (command: SupervisorCommand) => void;
  readonly instances: Instances;
  readonly broker: Pick<Broker, 'hold'>;
  readonly snapshotOf: (instance: string) => PluginSnapshot | undefined;
  readonly root: () => Parameters<typeof memberOf>[0];
  readonly emitter: Announcer['emitter'];
  readonly isClosed: () => boolean;
}

export interface StartStop {
  /** Sends a command that makes it start, and waits for ready as a call does. Rejects with what kept it from that. */
  start(type: 'START' | 'RESTART', name: string, waiting: Pick<CallOptions, 'signal' | 'startTimeout'>): Promise<void>;
  /** Resolves when nothing of it runs; rejects with STOP_ABANDONED. */
  stop(name: string): Promise<void>;
}

export function createStartStop(parts: StartStopParts): StartStop {
  const { send, instances, broker, snapshotOf, root, emitter, isClosed } = parts;

  const start: StartStop['start'] = async (type, name, waiting) => {
    const ready = async (instance: string) => {
      const { release } = await broker.hold(name, { ...waiting, instance });
      release();
    };
    if (waiting.signal?.aborted) throw supervisorError('CALL_CANCELLED', { message: 'The start was cancelled.' }, name);
    const others = instances.others(name);
    send({ type, plugin: name });
    instances.commanded(name, type);
    await ready(name);
    // One after the other, so that the rest of a pool serves meanwhile, and what can't start any more stops at the first.
    for (const instance of type === 'RESTART' ? others : []) {
      const snapshot = snapshotOf(instance);
      if (snapshot === undefined || stateName(snapshot.value) === 'absent') continue;
      if (!instances.others(name).includes(instance)) continue;
      send({ type, plugin: instance });
      await ready(instance).catch((error: unknown) => {
        if (instances.others(name).includes(instance)) throw error;
      });
    }
  };

  async function stop(name: string) {
    const others = new Set(instances.of(name));
    others.delete(name);
    send({ type: 'STOP', plugin: name });
    instances.commanded(name, 'STOP');
    /** Another one may come under the name of one that is gone. */
    const areGone = () => {
      const there = instances.of(name);
      for (const other of others) if (!there.includes(other)) others.delete(other);
      return others.size === 0;
    };
    // While it is swept up after a bug of ours it has no actor, yet perhaps a process.
    const swept = () => memberOf(root(), name)?.broken == null;
    const generationOf = () => snapshotOf(name)?.context.generation ?? 0;
    const before = generationOf();
    // A start that was asked for meanwhile begins at once when nothing is left of this one: then it is never at rest.
    const isFirstOver = () => (swept() && isAtRest(snapshotOf(name))) || generationOf() > before;
    let isOverOnce = false;
    const isOver = () => {
      isOverOnce ||= isFirstOver();
      return (areGone() && isOverOnce) || isClosed();
    };
    await until(emitter, () => isOver() || undefined, { isClosed });
    const left = instances.leftBehind(name);
    const failure = left ?? snapshotOf(name)?.context.failure;
    if (failure?.code === 'STOP_ABANDONED') throw new SupervisorError(failure, name);
  }

  return { start, stop };
}
