/** What `initialize` and `server/discover` answer: who is there, what it can do, which revision is spoken. */

import type { Fields } from '../../../actors/fields.ts';
import { CLIENT_INFO, SERVER_INFO_KEY } from '../../../actors/mcp/meta.ts';
import type { KnownCatalog } from '../contracts.ts';
import type { Client } from './contracts.ts';
import { MODERN_VERSIONS } from './versions.ts';

/** Of one whose lists nobody has seen, and of all together: what may come is not ruled out. */
const WIDE: Fields = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  logging: {},
  completions: {},
};

/** The plugin's own words; for one that nobody has seen, no more than its name. */
export function pluginIdentity(plugin: string, catalog: KnownCatalog | null): Fields {
  const given = catalog?.server;
  if (given == null) {
    const capabilities = catalog === null ? WIDE : { tools: { listChanged: true } };
    return { serverInfo: { name: plugin, version: 'unknown' }, capabilities };
  }
  const { protocolVersion, supportedVersions, resultType, ttlMs, cacheScope, ...identity } = given;
  return {
    ...identity,
    serverInfo: whole(given.serverInfo, plugin),
    capabilities: telling((given.capabilities ?? {}) as Fields),
  };
}

/** Hand-written servers leave out a name or a version, without which strict clients hang up. */
function whole(serverInfo: unknown, plugin: string): Fields {
  const { name, version } = (serverInfo ?? {}) as Fields;
  if (typeof name === 'string' && typeof version === 'string') return serverInfo as Fields;
  return { name: plugin, version: 'unknown', ...(serverInfo as Fields | undefined) };
}

/** Lists change when a plugin is started anew, whether its server tells of changes or not. */
function telling(capabilities: Fields): Fields {
  const told = Object.entries(capabilities).map(([name, value]) =>
    name in WIDE && name !== 'logging' && name !== 'completions' && typeof value === 'object' && value !== null
      ? [name, { ...value, listChanged: true }]
      : [name, value],
  );
  return Object.fromEntries(told);
}

export const gatewayIdentity = (instructions: string): Fields => ({
  serverInfo: CLIENT_INFO,
  capabilities: WIDE,
  instructions,
});

export function hello(method: string, client: Client, identity: Fields): Fields {
  if (method === 'initialize') return { protocolVersion: client.protocolVersion, ...identity };
  const { serverInfo, _meta, ...rest } = identity;
  return {
    ...rest,
    supportedVersions: MODERN_VERSIONS,
    resultType: 'complete',
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { ...(_meta as Fields | undefined), [SERVER_INFO_KEY]: serverInfo },
  };
}
