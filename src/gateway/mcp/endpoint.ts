/** Answers the requests of clients at one address: what concerns the session here, the rest by the face behind it. */

import { LOG_LEVEL_KEY } from '../../../actors/mcp/meta.ts';
import { asText } from './as-text.ts';
import { createAudience } from './audience.ts';
import type { Client, ClientRequest, Endpoint } from './contracts.ts';
import { toRpcError } from './eras/to-rpc-error.ts';
import { hello } from './hello.ts';
import { listen, MOST_FOLLOWED } from './listen.ts';
import type { Level } from './log-levels.ts';
import type { Face, Send, Shared } from './parts.ts';
import { RPC, RpcError } from './rpc-error.ts';
import { whoCalls } from './who-calls.ts';

/** Notifications that are the affair of transports and of the relay. */
const NOT_THE_PLUGINS = /^notifications\/(initialized|cancelled|progress)$/;

/** Notifications of plugins that are told after a look at what they mean, or belong to one request. */
const TOLD_OTHERWISE = /^notifications\/(.+\/list_changed|resources\/updated|progress|cancelled|subscriptions\/.+)$/;

export interface OwnedEndpoint extends Endpoint {
  /** No client has a session here, or waits to hear of changes. */
  readonly isIdle: () => boolean;
  close(): void;
}

export function createEndpoint(shared: Shared, build: (send: Send) => Face): OwnedEndpoint {
  const { supervisor, catalogs, relay, levels, awake, following, log } = shared;
  const audience = createAudience();
  const closing = new AbortController();

  /** Counts as a use by that client's session. */
  async function send(plugin: string, request: ClientRequest, method: string, params: unknown): Promise<unknown> {
    const { client } = request;
    if (client.era === 'modern') return relay.request(plugin, request, method, params);
    const { used } = audience.of(client);
    if (!used.has(plugin)) used.set(plugin, isShared(plugin) ? plugin : null);
    if (used.get(plugin) !== plugin) used.set(plugin, await instanceFor(plugin, request));
    const level = levels.of(client);
    const result = await (level === undefined
      ? relay.request(plugin, request, method, params)
      : relay.request(plugin, quieter(request, level), method, withLevel(plugin, level, params)));
    if (audience.listeners.has(client) && used.get(plugin) === plugin) awake.used(plugin, client);
    return result;
  }

  function isShared(plugin: string): boolean {
    try {
      return supervisor.status(plugin).instances === undefined;
    } catch {
      // It is gone, which the relay says better.
      return true;
    }
  }

  /** Where a plugin has several processes, what one of them says unasked is only for whoever it works for. */
  async function instanceFor(plugin: string, { client, signal }: ClientRequest): Promise<string> {
    try {
      const link = await supervisor.open(plugin, { ...whoCalls(client), signal });
      try {
        await levels.tell(client, link);
        return link.instance;
      } finally {
        link.close();
      }
    } catch (error) {
      throw toRpcError(error, plugin);
    }
  }

  /** The server logs for all its clients: each one hears no more than it asked for. */
  function quieter(request: ClientRequest, level: Level): ClientRequest {
    return {
      ...request,
      notify(method, params) {
        const told = (params as { level?: unknown } | undefined)?.level;
        if (method !== 'notifications/message' || levels.passes(told, level)) request.notify(method, params);
      },
    };
  }

  /** A modern server logs for whoever says so in the request itself. */
  function withLevel(plugin: string, level: string, params: unknown): unknown {
    if (catalogs.get(plugin)?.era !== 'modern') return params;
    const { _meta } = (params ?? {}) as { readonly _meta?: object };
    return { ...(params as object), _meta: { ..._meta, [LOG_LEVEL_KEY]: level } };
  }

  const face = build(send);

  async function handle(request: ClientRequest): Promise<unknown> {
    const { client, method, params } = request;
    const isLegacy = client.era === 'legacy';
    if (isLegacy) audience.of(client);
    switch (method) {
      case 'tools/call':
        return face.answer(request);
      case 'initialize':
      case 'server/discover':
        return hello(method, client, await face.identify());
      case 'ping':
        // It asks whether this end of the session is there; a plugin need not wake for it.
        return {};
      case 'logging/setLevel':
        if (!isLegacy) break;
        await levels.set(client, (params as { level?: unknown } | undefined)?.level, face.covers);
        return {};
      case 'resources/subscribe':
        if (isLegacy) return subscribe(client, params);
        break;
      case 'resources/unsubscribe':
        if (!isLegacy) break;
        unsubscribe(client, params);
        return {};
      case 'subscriptions/listen':
        if (!isLegacy) return listen(request, { face, audience, follow, closing: closing.signal, log });
        break;
      default:
        // A server that looks at the method alone would take it for one of ours: `cancelled` names other clients' requests.
        if (method.startsWith('notifications/')) break;
        return face.answer(request);
    }
    throw new RpcError(RPC.methodNotFound, `Method not found: ${method}`);
  }

  // ---- resources that are followed ----

  async function follow(uri: unknown, client: Client, tell: (params: object) => void): Promise<() => void> {
    const owner = typeof uri === 'string' ? await face.locate(uri) : undefined;
    if (owner === undefined) throw new RpcError(RPC.resourceNotFound, `Resource not found: ${asText(uri)}`, { uri });
    try {
      return await following.follow(owner.plugin, owner.uri, whoCalls(client), (params) => {
        const told = (params as { uri?: unknown }).uri;
        // A part of it keeps what the server calls it.
        tell(told === owner.uri && told !== uri ? { ...(params as object), uri } : (params as object));
      });
    } catch (error) {
      throw toRpcError(error, owner.plugin);
    }
  }

  async function subscribe(client: Client, params: unknown): Promise<object> {
    const { uri } = (params ?? {}) as { readonly uri?: unknown };
    const { followed } = audience.of(client);
    if (followed.has(uri as string)) return {};
    if (followed.size >= MOST_FOLLOWED) {
      throw new RpcError(RPC.invalidParams, `A session may follow ${MOST_FOLLOWED} resources.`);
    }
    const end = await follow(uri, client, (told) => client.notify('notifications/resources/updated', told));
    // Meanwhile it left, or asked for the same twice.
    if (audience.listeners.get(client)?.followed !== followed || followed.has(uri as string)) end();
    else followed.set(uri as string, end);
    return {};
  }

  function unsubscribe(client: Client, params: unknown): void {
    const { uri } = (params ?? {}) as { readonly uri?: string };
    const { followed } = audience.of(client);
    followed.get(uri ?? '')?.();
    followed.delete(uri ?? '');
  }

  // ---- what plugins say unasked ----

  /** Clients hear of those that come back, though they list the same: what they kept in mind is gone. */
  const crashed = new Set<string>();
  const forget = [
    catalogs.onChange((plugin, kind) => {
      if (face.covers(plugin)) audience.changed(kind);
    }),
    // Who starts it again at once never sees it `crashed`.
    supervisor.on('plugin:stopping', ({ plugin, failure }) => {
      if (failure !== null && face.covers(plugin)) crashed.add(plugin);
    }),
    supervisor.on('plugin:ready', ({ plugin }) => {
      if (crashed.delete(plugin)) audience.changed('tools');
    }),
    supervisor.on('plugin:removed', ({ plugin }) => void crashed.delete(plugin)),
    supervisor.on('plugin:configured', ({ plugin }) => {
      if (!face.covers(plugin)) return;
      for (const { used } of audience.listeners.values()) used.delete(plugin);
      if (!audience.isEmpty() && catalogs.get(plugin) === null) catalogs.learn(plugin).catch(() => {});
    }),
    supervisor.on('plugin:message', ({ plugin, method, params, instance = plugin }) => {
      if (TOLD_OTHERWISE.test(method) || !face.covers(plugin)) return;
      const level = method === 'notifications/message' ? (params as { level?: unknown } | undefined)?.level : undefined;
      for (const [client, { used }] of audience.listeners) {
        if (used.get(plugin) === instance && levels.passes(level, levels.of(client))) client.notify(method, params);
      }
    }),
  ];

  return {
    handle,
    isIdle: audience.isEmpty,
    tool: face.tool,
    hear(client, method, params) {
      if (client.era === 'legacy') audience.of(client);
      if (!NOT_THE_PLUGINS.test(method)) face.hear(client, method, params);
    },
    leave(client) {
      audience.left(client);
      levels.left(client);
      awake.left(client);
      supervisor.endSession(client.id);
    },
    close() {
      closing.abort();
      for (const stop of forget) stop();
      face.close();
      audience.close();
    },
  };
}
