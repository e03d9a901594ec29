/** From which level on servers of the legacy era log: the one place that tells them (`logging/setLevel`). */

import type { Log } from '../../../../actors/context.ts';
import { pluginOf } from '../../../../actors/instance-name.ts';
import { SupervisorError } from '../../../errors.ts';
import type { CallOptions, Link, Supervisor } from '../../../options.ts';
import { isRunning } from '../../is-running.ts';
import { type Level, lowestOf } from '../log-levels.ts';

/**
 * A server has one level for all its clients: the lowest that a legacy client asked for, or a request of a modern one in this
 * generation; each of them hears its own part alone. Nothing here rejects.
 */
export interface ServerLevels {
  /** The lowest one that its legacy clients want now; undefined: none of them says. */
  clientsWant(plugin: string, level: Level | undefined): Promise<void>;
  /** Goes out before the request itself; a server without logging refuses, and has nothing to tell. */
  requestWants(plugin: string, level: Level, who: CallOptions): void;
  /** Of the process that works for one client alone. */
  tell(link: Link, level: Level): Promise<void>;
  /** Whether it was told anything in that generation. */
  isTold(instance: string, generation: number): boolean;
  close(): void;
}

interface Said {
  readonly generation: number;
  readonly level: Level;
}

export function createServerLevels(supervisor: Supervisor, log: Log): ServerLevels {
  /** What each server was told last. */
  const told = new Map<string, Said>();
  const ofClients = new Map<string, Level>();
  const ofRequests = new Map<string, Said>();

  async function say(instance: string, next: Said, send: (params: object) => Promise<unknown>): Promise<void> {
    const before = told.get(instance);
    if (before?.generation === next.generation && before.level === next.level) return;
    told.set(instance, next);
    try {
      await send({ level: next.level });
    } catch (error) {
      // One that has no levels is not asked again.
      const refused = SupervisorError.is(error) && error.code === 'CALL_PROTOCOL_ERROR';
      if (!refused && told.get(instance) === next) told.delete(instance);
      log.debug({ plugin: pluginOf(instance), err: error }, 'its log level could not be set');
    }
  }

  function bring(plugin: string, generation: number): Promise<void> {
    const requested = ofRequests.get(plugin);
    const level = lowestOf([ofClients.get(plugin), requested?.generation === generation ? requested.level : undefined]);
    if (level === undefined) return Promise.resolve();
    return say(plugin, { generation, level }, (params) => supervisor.request(plugin, 'logging/setLevel', params));
  }

  const forget = supervisor.on('plugin:removed', ({ plugin }) => {
    ofClients.delete(plugin);
    ofRequests.delete(plugin);
    for (const instance of told.keys()) if (pluginOf(instance) === plugin) told.delete(instance);
  });

  return {
    async clientsWant(plugin, level) {
      if (level === undefined) ofClients.delete(plugin);
      else ofClients.set(plugin, level);
      if (!isRunning(supervisor, plugin)) return;
      const { generation, instances } = supervisor.status(plugin);
      // Where there are several processes each is told when its client uses it.
      if (instances === undefined) await bring(plugin, generation);
    },
    requestWants(plugin, level, who) {
      const { generation, instances } = supervisor.status(plugin);
      if (instances !== undefined) {
        // Whichever takes the request takes this as well.
        supervisor.request(plugin, 'logging/setLevel', { level }, who).catch(() => {});
        return;
      }
      const before = ofRequests.get(plugin);
      const least = before?.generation === generation ? lowestOf([before.level, level]) : level;
      ofRequests.set(plugin, { generation, level: least ?? level });
      void bring(plugin, generation);
    },
    tell: ({ instance, generation, request }, level) =>
      say(instance, { generation, level }, (params) => request('logging/setLevel', params)),
    isTold: (instance, generation) => told.get(instance)?.generation === generation,
    close: forget,
  };
}
