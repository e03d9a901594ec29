/** All plugins that a view shows behind one address: tools and prompts as `plugin__name`, resources under their own URIs. */

import type { ToolDescription } from '../../../actors/context.ts';
import type { Fields } from '../../../actors/fields.ts';
import type { KnownCatalog, Named } from '../contracts.ts';
import { isRunning } from '../is-running.ts';
import type { View } from '../view.ts';
import { asText } from './as-text.ts';
import type { ClientRequest, Era } from './contracts.ts';
import { legacyTools } from './eras/legacy-tools.ts';
import { shapeResult } from './eras/shape.ts';
import { gatewayIdentity } from './hello.ts';
import { gatewayInstructions } from './instructions.ts';
import { createNameTable, type NameTable, type Owned, readings } from './names.ts';
import { callTool, isListMethod, unknownTool } from './one-plugin.ts';
import { createOwners, type OwnedResource, type Owners } from './owners.ts';
import type { Face, Send, Shared } from './parts.ts';
import { RPC, RpcError } from './rpc-error.ts';
import { standInFor, standIns } from './stand-ins.ts';
import { createTaskOwners } from './task-owners.ts';
import { readOwnedUri } from './uris.ts';

/** Names that are remembered beyond the list they stood in; a server may invent new ones for ever. */
const MAX_LISTED = 10_000;

/** Everything that is derived of the catalogs, made anew when one of them changes. */
interface Index {
  readonly plugins: readonly string[];
  readonly tools: NameTable;
  readonly prompts: NameTable;
  readonly owners: Owners;
}

export function createAllPlugins(view: View, shared: Shared, send: Send): Face {
  const { supervisor, catalogs, acquaintance, maxToolName } = shared;
  const tasks = createTaskOwners();
  let index: Index | null = null;
  /** Names as they were listed once: a client may still use them when nothing is known of the plugin for a moment. */
  const listed = { tools: new Map<string, Owned>(), prompts: new Map<string, Owned>() };

  const stale = () => {
    index = null;
  };
  const forget = [
    catalogs.onChange(stale),
    supervisor.on('plugin:configured', stale),
    supervisor.on('plugin:removed', stale),
  ];

  const shownTools = (plugin: string, catalog: KnownCatalog | null): readonly ToolDescription[] =>
    catalog === null ? standIns(plugin) : catalog.tools.filter(({ name }) => view.hasTool(plugin, name));

  function toolsFor(era: Era, plugin: string): readonly ToolDescription[] {
    const catalog = catalogs.get(plugin);
    const shown = shownTools(plugin, catalog);
    return era === 'legacy' && catalog?.era === 'modern' ? legacyTools(shown) : shown;
  }

  function current(): Index {
    if (index !== null) return index;
    // By name: the same after an edit of the configuration as after a restart with it.
    const plugins = supervisor
      .list()
      .filter((plugin) => view.hasPlugin(plugin))
      .sort();
    const known = plugins.map((plugin) => ({ plugin, catalog: catalogs.get(plugin) }));
    const table = (itemsOf: (plugin: string, catalog: KnownCatalog | null) => readonly Named[]) =>
      createNameTable(
        known.flatMap(({ plugin, catalog }) => itemsOf(plugin, catalog).map(({ name }) => ({ plugin, name }))),
        maxToolName,
      );
    index = {
      plugins,
      tools: table(shownTools),
      prompts: table((_, catalog) => catalog?.prompts ?? []),
      owners: createOwners(known),
    };
    return index;
  }

  // ---- lists ----

  async function list(request: ClientRequest): Promise<unknown> {
    const { method, params, signal, client } = request;
    // All of it is one page.
    if ((params as { cursor?: unknown } | undefined)?.cursor !== undefined) {
      throw new RpcError(RPC.invalidParams, 'There is no such page.');
    }
    await Promise.all(current().plugins.map((plugin) => acquaintance.forList(plugin, signal)));
    return shapeResult(method, listNow(method, client.era), null, client.era);
  }

  function listNow(method: string, era: Era): Fields {
    const { plugins, tools, prompts, owners } = current();
    const renamed = <Item extends Named>(
      items: (plugin: string) => readonly Item[],
      names: NameTable,
      kept: Map<string, Owned>,
    ) =>
      plugins.flatMap((plugin) =>
        items(plugin).map((item) => {
          const name = names.nameOf(plugin, item.name);
          if (kept.size < MAX_LISTED) kept.set(name, { plugin, name: item.name });
          return { ...item, name };
        }),
      );
    switch (method) {
      case 'tools/list':
        return { tools: renamed((plugin) => toolsFor(era, plugin), tools, listed.tools) };
      case 'prompts/list':
        return { prompts: renamed((plugin) => catalogs.get(plugin)?.prompts ?? [], prompts, listed.prompts) };
      case 'resources/list':
        return { resources: owners.resources };
      default:
        return { resourceTemplates: owners.templates };
    }
  }

  // ---- whose it is ----

  function ownerOf(kind: 'tools' | 'prompts', given: unknown): Owned | undefined {
    if (typeof given !== 'string') return undefined;
    const { plugins, [kind]: names } = current();
    const found = names.find(given) ?? listed[kind].get(given);
    if (found !== undefined && view.hasPlugin(found.plugin) && plugins.includes(found.plugin)) return found;
    // Of a plugin that nobody has seen anything may be meant.
    return readings(given, plugins).find(({ plugin, name }) => {
      const catalog = catalogs.get(plugin);
      if (catalog === null) return true;
      return (
        catalog[kind].some((item) => item.name === name) || (kind === 'tools' && standInFor(name, catalog) !== null)
      );
    });
  }

  async function call(request: ClientRequest): Promise<unknown> {
    const params = (request.params ?? {}) as Fields;
    const owner = ownerOf('tools', params.name);
    if (owner === undefined) throw unknownTool(params.name);
    const { plugin, name } = owner;
    const result = await callTool(plugin, request, { ...params, name }, { shared, view, send });
    tasks.note(plugin, result);
    return result;
  }

  function prompt(request: ClientRequest): Promise<unknown> {
    const params = (request.params ?? {}) as Fields;
    const owner = ownerOf('prompts', params.name);
    if (owner === undefined) throw new RpcError(RPC.invalidParams, `Unknown prompt: ${asText(params.name)}`);
    return send(owner.plugin, request, 'prompts/get', { ...params, name: owner.name });
  }

  /** Who may know it, the likeliest first. A plugin that sleeps is not woken for nothing but a chance. */
  function candidates(uri: string): readonly OwnedResource[] {
    const { owners } = current();
    const listed = owners.find(uri);
    if (listed !== undefined) return [listed];
    const likely = owners.candidates(uri);
    if (likely.length > 0 || readOwnedUri(uri) !== null) return likely;
    return owners.providers.filter((plugin) => isRunning(supervisor, plugin)).map((plugin) => ({ plugin, uri }));
  }

  async function read(request: ClientRequest): Promise<unknown> {
    const params = (request.params ?? {}) as Fields;
    const asked = params.uri;
    if (typeof asked !== 'string') throw notFound(request, asked);
    let refusal: unknown;
    for (const { plugin, uri } of candidates(asked)) {
      try {
        const result = await send(plugin, request, 'resources/read', { ...params, uri });
        return uri === asked ? result : addressed(result, uri, asked);
      } catch (error) {
        // The likeliest one knows best what is wrong.
        refusal ??= error;
        if (request.signal.aborted) break;
      }
    }
    throw refusal ?? notFound(request, asked);
  }

  async function complete(request: ClientRequest): Promise<unknown> {
    const params = (request.params ?? {}) as Fields;
    const ref = (params.ref ?? {}) as Fields;
    const passOn = (plugin: string, own: Fields) =>
      send(plugin, request, 'completion/complete', { ...params, ref: { ...ref, ...own } });
    if (ref.type === 'ref/prompt') {
      const owner = ownerOf('prompts', ref.name);
      if (owner !== undefined) return passOn(owner.plugin, { name: owner.name });
    } else if (typeof ref.uri === 'string') {
      const owner = current().owners.ofTemplate(ref.uri) ?? candidates(ref.uri)[0];
      if (owner !== undefined) return passOn(owner.plugin, { uri: owner.uri });
    }
    throw new RpcError(RPC.invalidParams, 'There is no such prompt or resource template.');
  }

  function task(request: ClientRequest): Promise<unknown> {
    const plugin = tasks.ownerOf(request.params);
    if (plugin === undefined || !view.hasPlugin(plugin))
      throw new RpcError(RPC.invalidParams, 'There is no such task.');
    return send(plugin, request, request.method, request.params);
  }

  return {
    view,
    covers: (plugin) => view.hasPlugin(plugin),
    has: () => true,
    async identify() {
      const { plugins } = current();
      // A list is what is asked for next.
      for (const plugin of plugins) if (catalogs.get(plugin) === null) catalogs.learn(plugin).catch(() => {});
      return gatewayIdentity(gatewayInstructions(plugins, catalogs, supervisor));
    },
    async answer(request) {
      const { method } = request;
      if (method === 'tools/call') return call(request);
      if (isListMethod(method)) return list(request);
      if (method === 'prompts/get') return prompt(request);
      if (method === 'resources/read') return read(request);
      if (method === 'completion/complete') return complete(request);
      if (method.startsWith('tasks/') && method !== 'tasks/list') return task(request);
      throw new RpcError(RPC.methodNotFound, `Method not found: ${method}`);
    },
    tool(given) {
      const owner = ownerOf('tools', given);
      if (owner === undefined || !view.hasTool(owner.plugin, owner.name)) return undefined;
      return catalogs.get(owner.plugin)?.tools.find(({ name }) => name === owner.name);
    },
    locate: async (uri) => candidates(uri)[0],
    // Nobody can say which of them it is for.
    hear() {},
    close() {
      for (const stop of forget) stop();
    },
  };
}

const notFound = ({ client }: ClientRequest, uri: unknown): RpcError =>
  new RpcError(client.era === 'legacy' ? RPC.resourceNotFound : RPC.invalidParams, 'Resource not found', { uri });

/** Contents under the URI that was asked for, where the plugin calls them otherwise. */
function addressed(result: unknown, uri: string, asked: string): unknown {
  const { contents } = (result ?? {}) as { readonly contents?: unknown };
  if (!Array.isArray(contents)) return result;
  return {
    ...(result as object),
    contents: contents.map((content) => (content?.uri === uri ? { ...content, uri: asked } : content)),
  };
}
