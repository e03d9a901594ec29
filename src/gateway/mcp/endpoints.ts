/** Endpoints by address, and what they share: subscriptions, log levels, and the links that keep plugins awake. */

import type { Log } from '../../../actors/context.ts';
import type { Supervisor } from '../../options.ts';
import type { Catalogs, Endpoints } from '../contracts.ts';
import type { View } from '../view.ts';
import { createAcquaintance } from './acquaintance.ts';
import { createAllPlugins } from './all-plugins.ts';
import { createEndpoint, type OwnedEndpoint } from './endpoint.ts';
import type { Relay } from './eras/relay.ts';
import { createFollowing } from './following.ts';
import { createKeepAwake } from './keep-awake.ts';
import { createLevels } from './levels.ts';
import { createOnePlugin } from './one-plugin.ts';
import type { Shared } from './parts.ts';

/** Clients put their own prefix before a name, and model APIs take 64 characters. */
const MAX_TOOL_NAME = 44;

export interface EndpointsOptions {
  readonly supervisor: Supervisor;
  readonly catalogs: Catalogs;
  readonly relay: Relay;
  readonly log: Log;
  /** Characters of an aggregated name, at least 24; default 44. */
  readonly maxToolName?: number | undefined;
  /** Milliseconds that a first list waits for plugins that were never seen; default 8 s. */
  readonly listWait?: number | undefined;
  /** Milliseconds that a handshake waits for a plugin that was never seen; default 700. */
  readonly handshakeWait?: number | undefined;
  /** Milliseconds for which a plugin is kept awake after a connected client's last use; default 30 min. */
  readonly keepAwake?: number | undefined;
}

export function createEndpoints(options: EndpointsOptions): Endpoints {
  const { supervisor, catalogs, relay, log, maxToolName = MAX_TOOL_NAME, listWait, handshakeWait, keepAwake } = options;
  const shared: Shared = {
    supervisor,
    catalogs,
    relay,
    log,
    maxToolName: Math.max(24, maxToolName),
    acquaintance: createAcquaintance(catalogs, listWait, handshakeWait),
    following: createFollowing({ supervisor, log }),
    levels: createLevels({ supervisor, catalogs, servers: relay.serverLevels }),
    awake: createKeepAwake({ supervisor, log, patience: keepAwake }),
  };
  interface Of {
    all: OwnedEndpoint | null;
    readonly plugins: Map<string, OwnedEndpoint>;
  }
  const views = new Map<View, Of>();
  let isCurrent: (view: View) => boolean = () => true;

  /** What is in use stays until it no longer is: a session knows its endpoint, whatever is configured meanwhile. */
  function tidy(): void {
    const there = supervisor.list();
    for (const [view, known] of views) {
      const stays = isCurrent(view);
      for (const [name, endpoint] of known.plugins) {
        if (!endpoint.isIdle() || (stays && there.includes(name))) continue;
        known.plugins.delete(name);
        endpoint.close();
      }
      if (stays) continue;
      if (known.all?.isIdle() === true) {
        known.all.close();
        known.all = null;
      }
      if (known.all === null && known.plugins.size === 0) views.delete(view);
    }
  }
  const stopTidying = supervisor.on('plugin:removed', tidy);

  function of(view: View): Of {
    let known = views.get(view);
    if (known === undefined) {
      known = { all: null, plugins: new Map() };
      views.set(view, known);
    }
    return known;
  }

  return {
    all(view) {
      const known = of(view);
      known.all ??= createEndpoint(shared, (send) => createAllPlugins(view, shared, send));
      return known.all;
    },
    plugin(name, view) {
      if (!view.hasPlugin(name) || !supervisor.list().includes(name)) return undefined;
      const { plugins } = of(view);
      let endpoint = plugins.get(name);
      if (endpoint === undefined) {
        endpoint = createEndpoint(shared, (send) => createOnePlugin(name, view, shared, send));
        plugins.set(name, endpoint);
      }
      return endpoint;
    },
    keep(current) {
      isCurrent = current;
      tidy();
    },
    close() {
      stopTidying();
      for (const { all, plugins } of views.values()) for (const one of [all, ...plugins.values()]) one?.close();
      views.clear();
      shared.following.close();
      shared.levels.close();
      shared.awake.close();
    },
  };
}
