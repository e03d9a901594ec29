import type { Log } from '../../../actors/context.ts';
import type { Link, Supervisor } from '../../options.ts';
import { isRunning } from '../is-running.ts';
import type { Client } from './contracts.ts';

/** A plugin that a connected client has used is not stopped for idleness before so long after its last use: 30 min. */
const KEEP_AWAKE = 30 * 60_000;

export interface KeepAwake {
  /** That client's session has just used the plugin, which runs. */
  used(plugin: string, client: Client): void;
  left(client: Client): void;
  close(): void;
}

interface Held {
  readonly users: Set<Client>;
  last: number;
  link: Link | null;
  opening: boolean;
  timer: NodeJS.Timeout | null;
}

/** Holds an open link, which keeps a plugin from idling, as long as somebody who used it is there. */
export function createKeepAwake({
  supervisor,
  log,
  patience = KEEP_AWAKE,
}: {
  readonly supervisor: Supervisor;
  readonly log: Log;
  /** Milliseconds. */
  readonly patience?: number | undefined;
}): KeepAwake {
  const plugins = new Map<string, Held>();

  function release(plugin: string, held: Held): void {
    if (held.timer !== null) clearTimeout(held.timer);
    held.link?.close();
    held.link = null;
    if (plugins.get(plugin) === held) plugins.delete(plugin);
  }

  async function hold(plugin: string, held: Held): Promise<void> {
    held.opening = true;
    try {
      // Where there are several instances each one has its own time.
      if (!isRunning(supervisor, plugin) || supervisor.status(plugin).instances !== undefined) return;
      const link = await supervisor.open(plugin);
      if (plugins.get(plugin) !== held) return link.close();
      held.link = link;
      void link.closed.then(() => {
        if (held.link === link) held.link = null;
      });
    } catch (error) {
      log.debug({ plugin, err: error }, 'it went before it could be kept awake');
    } finally {
      held.opening = false;
    }
  }

  function lookAfter(plugin: string, held: Held, delay: number): void {
    held.timer = setTimeout(() => {
      const left = patience - (performance.now() - held.last);
      if (left > 0) lookAfter(plugin, held, left);
      else release(plugin, held);
    }, delay).unref();
  }

  return {
    used(plugin, client) {
      let held = plugins.get(plugin);
      if (held === undefined) {
        held = { users: new Set(), last: 0, link: null, opening: false, timer: null };
        plugins.set(plugin, held);
        lookAfter(plugin, held, patience);
      }
      held.last = performance.now();
      held.users.add(client);
      if (held.link === null && !held.opening) void hold(plugin, held);
    },
    left(client) {
      for (const [plugin, held] of [...plugins]) {
        if (held.users.delete(client) && held.users.size === 0) release(plugin, held);
      }
    },
    close() {
      for (const [plugin, held] of [...plugins]) release(plugin, held);
    },
  };
}
