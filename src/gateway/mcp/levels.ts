import type { Log } from '../../../actors/context.ts';
import { MODERN_VERSION } from '../../../actors/mcp/meta.ts';
import { SupervisorError } from '../../errors.ts';
import type { Link, Supervisor } from '../../options.ts';
import { isRunning } from '../catalogs.ts';
import type { Catalogs } from '../contracts.ts';
import type { Client } from './contracts.ts';
import { RPC, RpcError } from './rpc-error.ts';

const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

/** What each legacy client wants to be logged: plugins are asked for the lowest of it, each client hears its own part. */
export interface Levels {
  /** `covers` says which plugins that client can reach. Rejects with RpcError for a level that is none. */
  set(client: Client, level: unknown, covers: (plugin: string) => boolean): Promise<void>;
  /** Tells the process that works for that client alone; never rejects. */
  tell(client: Client, link: Link): Promise<void>;
  /** The level that it asked for; undefined: the server decides. */
  of(client: Client): string | undefined;
  /** Whether a message of that level is for a client that asked for `wanted`. */
  passes(level: unknown, wanted: string | undefined): boolean;
  left(client: Client): void;
  close(): void;
}

export function createLevels({
  supervisor,
  catalogs,
  log,
}: {
  readonly supervisor: Supervisor;
  readonly catalogs: Catalogs;
  readonly log: Log;
}): Levels {
  const wanted = new Map<Client, { readonly level: string; readonly covers: (plugin: string) => boolean }>();
  /** What each server was told last, and in which generation. */
  const told = new Map<string, { readonly generation: number; readonly level: string }>();

  function lowest(plugin: string): string | undefined {
    let least = LEVELS.length;
    for (const { level, covers } of wanted.values()) {
      if (covers(plugin)) least = Math.min(least, LEVELS.indexOf(level));
    }
    return LEVELS[least];
  }

  async function apply(plugin: string): Promise<void> {
    const level = lowest(plugin);
    // Where there are several processes each is told when its client uses it.
    if (level === undefined || !isRunning(supervisor, plugin) || supervisor.status(plugin).instances !== undefined)
      return;
    // A modern server is told with each request.
    const { era, server } = catalogs.get(plugin) ?? {};
    const capabilities = server?.capabilities as { logging?: unknown } | undefined;
    if (era === 'modern' || era === null || (server != null && capabilities?.logging == null)) return;
    const { generation } = supervisor.status(plugin);
    const before = told.get(plugin);
    if (before?.generation === generation && before.level === level) return;
    told.set(plugin, { generation, level });
    try {
      await supervisor.request(plugin, 'logging/setLevel', { level });
    } catch (error) {
      // One that has no levels is not asked again.
      const refused = SupervisorError.is(error) && error.code === 'CALL_PROTOCOL_ERROR';
      if (!refused && told.get(plugin)?.generation === generation) told.delete(plugin);
      log.debug({ plugin, err: error }, 'its log level could not be set');
    }
  }

  const everywhere = () => Promise.all(supervisor.list().map(apply));
  const forget = [
    supervisor.on('plugin:ready', ({ plugin, generation }) => {
      if (wanted.size > 0 && told.get(plugin)?.generation !== generation) void apply(plugin);
    }),
    supervisor.on('plugin:removed', ({ plugin }) => void told.delete(plugin)),
  ];

  return {
    async set(client, level, covers) {
      if (typeof level !== 'string' || !LEVELS.includes(level)) {
        throw new RpcError(RPC.invalidParams, `The level must be one of ${LEVELS.join(', ')}.`);
      }
      wanted.set(client, { level, covers });
      await everywhere();
    },
    async tell(client, link) {
      const level = wanted.get(client)?.level;
      const { plugin, instance, generation, server, protocolVersion } = link;
      const { logging } = (server.capabilities ?? {}) as { readonly logging?: unknown };
      if (level === undefined || logging == null || protocolVersion === null || protocolVersion >= MODERN_VERSION)
        return;
      const before = told.get(instance);
      if (before?.generation === generation && before.level === level) return;
      told.set(instance, { generation, level });
      await link.request('logging/setLevel', { level }).catch((error: unknown) => {
        log.debug({ plugin, err: error }, 'its log level could not be set');
      });
    },
    of: (client) => wanted.get(client)?.level,
    passes(level, asked) {
      if (asked === undefined) return true;
      const rank = LEVELS.indexOf(level as string);
      // One that nobody knows is better told than lost.
      return rank < 0 || rank >= LEVELS.indexOf(asked);
    },
    left(client) {
      if (wanted.delete(client)) void everywhere();
    },
    close() {
      for (const stop of forget) stop();
      wanted.clear();
    },
  };
}
