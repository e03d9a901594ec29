/** One plugin under its own names: `/plugins/:name/mcp`. */

import type { KnownCatalog } from '../contracts.ts';
import { isRunning } from '../is-running.ts';
import type { View } from '../view.ts';
import { LIST_WAIT } from './acquaintance.ts';
import { asText } from './as-text.ts';
import type { ClientRequest } from './contracts.ts';
import { shapeResult } from './eras/shape.ts';
import { pluginIdentity } from './hello.ts';
import type { Face, Send, Shared } from './parts.ts';
import { RPC, RpcError } from './rpc-error.ts';
import { standInFor, standIns, statusResult } from './stand-ins.ts';
import { createTaskOwners } from './task-owners.ts';
import { whoCalls } from './who-calls.ts';

/** Lists by method: the field of the result, and of the catalog. */
const LISTS = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
} as const;
type ListMethod = keyof typeof LISTS;

export const isListMethod = (method: string): method is ListMethod => Object.hasOwn(LISTS, method);

export function createOnePlugin(plugin: string, view: View, shared: Shared, send: Send): Face {
  const { supervisor, catalogs, acquaintance } = shared;
  /** What was given out here, where not everything is. */
  const tasks = createTaskOwners();
  const shows = (tool: string) => view.hasTool(plugin, tool);

  /** Verbatim from the server while it runs, with its own pages; from memory while it sleeps. */
  async function list(request: ClientRequest, method: ListMethod): Promise<unknown> {
    const known = catalogs.get(plugin);
    const hasPages = (request.params as { cursor?: unknown } | undefined)?.cursor !== undefined;
    // A plain HTTP service has no such methods: its tools are in the catalog alone.
    if (known?.era !== null && (hasPages || (known !== null && isRunning(supervisor, plugin)))) {
      if (hasPages || known === null) return chosen(await send(plugin, request, method, request.params));
      const asked = await askInTime(request, method);
      if (asked !== null) return chosen(asked);
    }
    const field = LISTS[method];
    const catalog = known ?? (await acquaintance.forList(plugin, request.signal));
    const items = catalog?.[field] ?? (field === 'tools' ? standIns(plugin) : []);
    const result = { [field]: items };
    return shapeResult(method, catalog === null ? result : chosen(result), catalog?.era ?? null, request.client.era);
  }

  /** null when it went in this moment, or is busy with something else: what is known serves as well. */
  async function askInTime(request: ClientRequest, method: ListMethod): Promise<unknown> {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), LIST_WAIT);
    const signal = AbortSignal.any([request.signal, patience.signal]);
    try {
      return await send(plugin, { ...request, signal }, method, request.params);
    } catch (error) {
      if (patience.signal.aborted || !isRunning(supervisor, plugin)) return null;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The result without the tools that the view hides; itself when it hides none. */
  function chosen(result: unknown): unknown {
    const { tools } = (result ?? {}) as { readonly tools?: unknown };
    if (!Array.isArray(tools) || tools.every((tool) => shows(tool?.name))) return result;
    return { ...(result as object), tools: tools.filter((tool) => shows(tool?.name)) };
  }

  return {
    view,
    covers: (name) => name === plugin,
    has(kind) {
      const known = catalogs.get(plugin);
      if (known === null || kind === 'tools') return true;
      return (known.server?.capabilities as { readonly [kind: string]: unknown } | undefined)?.[kind] != null;
    },
    identify: async () => pluginIdentity(plugin, await acquaintance.forHandshake(plugin)),
    async answer(request) {
      const { method, params } = request;
      if (method === 'tools/call') {
        const result = await callTool(plugin, request, params, { shared, view, send });
        if (view.limitsTools) tasks.note(plugin, result);
        return result;
      }
      if (isListMethod(method)) return list(request, method);
      // Others may be those of tools that it hides.
      if (view.limitsTools && method.startsWith('tasks/') && tasks.ownerOf(params) === undefined) {
        throw new RpcError(RPC.invalidParams, 'There is no such task.');
      }
      return send(plugin, request, method, params);
    },
    tool: (name) => (shows(name) ? catalogs.get(plugin)?.tools.find((tool) => tool.name === name) : undefined),
    locate: async (uri) => ({ plugin, uri }),
    hear(client, method, params) {
      if (!isRunning(supervisor, plugin)) return;
      supervisor.open(plugin, whoCalls(client)).then(
        (link) => {
          link.notify(method, params);
          link.close();
        },
        () => {},
      );
    },
    close() {},
  };
}

/** `tools/call` of a tool under its own name, or of a stand-in. */
export async function callTool(
  plugin: string,
  request: ClientRequest,
  params: unknown,
  { shared, view, send }: { readonly shared: Shared; readonly view: View; readonly send: Send },
): Promise<unknown> {
  const { name, arguments: given } = (params ?? {}) as { readonly name?: unknown; readonly arguments?: unknown };
  const { catalogs, supervisor, acquaintance } = shared;
  const known = catalogs.get(plugin);
  let standIn = standInFor(name, known);
  // It may have a tool of that name itself.
  if (standIn !== null && known === null && isRunning(supervisor, plugin)) {
    standIn = standInFor(name, await acquaintance.forList(plugin, request.signal));
  }
  if (standIn === null) {
    // A name that is no text may still be one for the plugin (`['name']`).
    if (typeof name === 'string' ? !view.hasTool(plugin, name) : view.limitsTools) throw unknownTool(name);
    return send(plugin, request, 'tools/call', params);
  }
  if (standIn === 'status') {
    const status = statusResult(supervisor, plugin, visible(catalogs.get(plugin), plugin, view));
    return shapeResult('tools/call', status, null, request.client.era);
  }
  const { tool, arguments: inner = {} } = (given ?? {}) as { readonly tool?: unknown; readonly arguments?: unknown };
  if (typeof tool !== 'string') throw new RpcError(RPC.invalidParams, "'tool' must name a tool.", { plugin });
  if (!view.hasTool(plugin, tool)) throw unknownTool(tool);
  return send(plugin, request, 'tools/call', { ...(params as object), name: tool, arguments: inner });
}

const visible = (catalog: KnownCatalog | null, plugin: string, view: View): KnownCatalog | null =>
  catalog && { ...catalog, tools: catalog.tools.filter(({ name }) => view.hasTool(plugin, name)) };

export const unknownTool = (name: unknown): RpcError =>
  new RpcError(RPC.invalidParams, `Unknown tool: ${asText(name)}`);
