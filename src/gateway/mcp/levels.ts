import { eraOfVersion } from '../../../actors/mcp/meta.ts';
import type { Link, Supervisor } from '../../options.ts';
import type { Catalogs } from '../contracts.ts';
import type { Client } from './contracts.ts';
import type { ServerLevels } from './eras/server-levels.ts';
import { isLevel, LEVELS, type Level, lowestOf, passes } from './log-levels.ts';
import { RPC, RpcError } from './rpc-error.ts';

/** What each legacy client wants to be logged: plugins are asked for the lowest of it, each client hears its own part. */
export interface Levels {
  /** `covers` says which plugins that client can reach. Rejects with RpcError for a level that is none. */
  set(client: Client, level: unknown, covers: (plugin: string) => boolean): Promise<void>;
  /** Tells the process that works for that client alone; never rejects. */
  tell(client: Client, link: Link): Promise<void>;
  /** The level that it asked for; undefined: the server decides. */
  of(client: Client): Level | undefined;
  /** Whether a message of that level is for a client that asked for `wanted`. */
  passes(level: unknown, wanted: Level | undefined): boolean;
  left(client: Client): void;
  close(): void;
}

export function createLevels({
  supervisor,
  catalogs,
  servers,
}: {
  readonly supervisor: Supervisor;
  readonly catalogs: Catalogs;
  readonly servers: ServerLevels;
}): Levels {
  const wanted = new Map<Client, { readonly level: Level; readonly covers: (plugin: string) => boolean }>();

  async function apply(plugin: string): Promise<void> {
    // A modern server is told with each request.
    const { era, server } = catalogs.get(plugin) ?? {};
    const capabilities = server?.capabilities as { logging?: unknown } | undefined;
    if (era === 'modern' || era === null || (server != null && capabilities?.logging == null)) return;
    const asking = [...wanted.values()].filter(({ covers }) => covers(plugin));
    await servers.clientsWant(plugin, lowestOf(asking.map(({ level }) => level)));
  }

  const everywhere = () => Promise.all(supervisor.list().map(apply));
  const forget = supervisor.on('plugin:ready', ({ plugin, generation }) => {
    if (wanted.size > 0 && !servers.isTold(plugin, generation)) void apply(plugin);
  });

  return {
    async set(client, level, covers) {
      if (!isLevel(level)) {
        throw new RpcError(RPC.invalidParams, `The level must be one of ${LEVELS.join(', ')}.`);
      }
      wanted.set(client, { level, covers });
      await everywhere();
    },
    async tell(client, link) {
      const level = wanted.get(client)?.level;
      const { server, protocolVersion } = link;
      const { logging } = (server.capabilities ?? {}) as { readonly logging?: unknown };
      if (level === undefined || logging == null || protocolVersion === null) return;
      if (eraOfVersion(protocolVersion) === 'legacy') await servers.tell(link, level);
    },
    of: (client) => wanted.get(client)?.level,
    passes: (level, asked) => asked === undefined || passes(level, asked),
    left(client) {
      if (wanted.delete(client)) void everywhere();
    },
    close() {
      forget();
      wanted.clear();
    },
  };
}
