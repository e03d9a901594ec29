/**
 * One request of a client to one plugin, whatever revision of the protocol either speaks. Where both speak alike it is
 * passed on as it is; where they don't, only what the other revision lacks is put in or taken out.
 */

import type { JsonRpcMessage, Log, ServerRequest } from '../../../../actors/context.ts';
import type { Fields } from '../../../../actors/fields.ts';
import { CAPABILITIES_KEY, CLIENT_INFO_KEY, eraOfVersion, modernCapabilities } from '../../../../actors/mcp/meta.ts';
import { mayAsk } from '../../../../actors/mcp/server-requests.ts';
import { runInputRounds } from '../../../input-rounds.ts';
import type { CallOptions, Supervisor } from '../../../options.ts';
import type { Client, ClientRequest, Era } from '../contracts.ts';
import type { Level } from '../log-levels.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { whoCalls } from '../who-calls.ts';
import { refusal } from './capabilities.ts';
import { mayBeParked, type Upstream } from './parkable-call.ts';
import { createParkedCalls } from './parked-calls.ts';
import { createRequestLogs } from './request-logs.ts';
import { createServerLevels, type ServerLevels } from './server-levels.ts';
import { shapeError, shapeResult } from './shape.ts';
import { toRpcError } from './to-rpc-error.ts';
import { questionForLegacy, questionIn } from './url-elicitation.ts';

/** Milliseconds: the client's own deadline rules, and ours is only for what everybody forgot. */
const HARD_TIMEOUT = 600_000;

export interface Relay {
  /**
   * Resolves with the result as the client's revision wants it; rejects with RpcError. Starts the plugin when it must.
   * `request` is whose stream notifications and questions go to; `method` and `params` are what the plugin gets.
   */
  request(plugin: string, request: ClientRequest, method: string, params: unknown): Promise<unknown>;
  /** What servers are told to log, by whoever has a client that says so. */
  readonly serverLevels: ServerLevels;
  /** Gives up what is parked. */
  close(): void;
}

export interface RelayParts {
  readonly supervisor: Supervisor;
  readonly log: Log;
  /** Other times for calls that wait for a client's retry, in milliseconds: at most, and when others wait for them. */
  readonly parking?: { readonly ttl?: number; readonly patience?: number };
}

export function createRelay({ supervisor, log, parking }: RelayParts): Relay {
  const parked = createParkedCalls({ ...parking, isCrowded });
  const logs = createRequestLogs(supervisor);
  const serverLevels = createServerLevels(supervisor, log);
  /** Which era each plugin spoke last; null: no MCP. */
  const eras = new Map<string, Era | null>();
  const forget = [
    supervisor.on('plugin:launching', ({ plugin }) => void eras.delete(plugin)),
    supervisor.on('plugin:removed', ({ plugin }) => void eras.delete(plugin)),
    // What waits for a person must not keep it from stopping.
    supervisor.on('plugin:stopping', ({ plugin }) => parked.dismiss(plugin)),
  ];

  /** undefined: nobody knows before it runs. */
  function eraOf(plugin: string): Era | null | undefined {
    const known = eras.get(plugin);
    if (known !== undefined) return known;
    const { era, transport } = supervisor.status(plugin);
    if (transport === null) return undefined;
    eras.set(plugin, era);
    return era;
  }

  /** Starts it when it must. */
  async function learnEra(plugin: string, { client, signal }: ClientRequest): Promise<Era | null> {
    const link = await supervisor.open(plugin, { signal, ...whoCalls(client) });
    const { protocolVersion } = link;
    link.close();
    const era = protocolVersion === null ? null : eraOfVersion(protocolVersion);
    eras.set(plugin, era);
    return era;
  }

  function optionsFor(request: ClientRequest, params: unknown): CallOptions {
    const { client, signal } = request;
    const progressToken = progressTokenIn(params);
    return {
      signal,
      ...whoCalls(client),
      timeout: HARD_TIMEOUT,
      ...(progressToken === undefined ? {} : { onProgress: progressTo(() => request, progressToken) }),
    };
  }

  // ---- legacy clients ----

  async function forLegacy(
    plugin: string,
    era: Era | null,
    request: ClientRequest,
    method: string,
    params: unknown,
  ): Promise<unknown> {
    const options: CallOptions = {
      ...optionsFor(request, params),
      onRequest: (question) => ask(plugin, request, question),
      onNotification: (message) => {
        const { method: told, params: what } = message as JsonRpcMessage;
        if (told !== undefined) request.notify(told, what);
      },
    };
    if (era !== 'modern') return supervisor.request(plugin, method, params, options);
    const result = await runInputRounds(
      withEnvelope(params, request.client),
      (what) => supervisor.request(plugin, method, what, options),
      (question) => askFor(request, question),
      request.signal,
    );
    return shapeResult(method, result, era, 'legacy');
  }

  /** What a modern server wants to know it can't be refused: without an answer there is no result. */
  async function askFor(request: ClientRequest, { method, params, signal }: ServerRequest): Promise<unknown> {
    const refused = refusal(request.client, method, params);
    if (refused === null) return request.ask(method, questionForLegacy(method, params), signal);
    throw new RpcError(RPC.internalError, `The plugin asks for what the client can't do: ${refused.message}`);
  }

  async function ask(
    plugin: string,
    request: ClientRequest,
    { method, params, signal }: ServerRequest,
  ): Promise<unknown> {
    const refused = refusal(request.client, method, params);
    if (refused === null) return request.ask(method, params, signal);
    log.debug({ plugin, method }, 'a plugin asked a client for what it did not declare');
    throw refused;
  }

  // ---- modern clients ----

  async function forModern(
    plugin: string,
    era: Era | null,
    request: ClientRequest,
    method: string,
    params: unknown,
  ): Promise<unknown> {
    const shape = (result: unknown) => shapeResult(method, result, era, 'modern');
    const level = logs.levelIn(params);
    if (era === 'modern') {
      const onNotification = (message: unknown) => pass(request, level, message);
      const options = { ...optionsFor(request, params), onNotification };
      const unattend = level === null ? null : logs.attend(plugin, () => request, level);
      try {
        return shape(await supervisor.request(plugin, method, params, options));
      } finally {
        unattend?.();
      }
    }
    const { requestState, inputResponses, ...own } = (params ?? {}) as Fields;
    if (requestState !== undefined) {
      throw new RpcError(RPC.invalidParams, 'Invalid params: this requestState is not known here.');
    }
    const progressToken = progressTokenIn(params);
    const upstream: Upstream = async ({ signal, onRequest, current }) => {
      if (level !== null) serverLevels.requestWants(plugin, level, whoCalls(request.client));
      const unattend = level === null ? null : logs.attend(plugin, current, level);
      try {
        return await supervisor.request(plugin, method, inputResponses === undefined ? params : own, {
          signal,
          onRequest,
          ...whoCalls(request.client),
          timeout: HARD_TIMEOUT,
          onNotification: (message) => pass(current(), level, message),
          ...(progressToken === undefined ? {} : { onProgress: progressTo(current) }),
        });
      } finally {
        unattend?.();
      }
    };
    return shape(await parked.begin({ plugin, request, method, params: own, upstream }));
  }

  /** What came on a request's own stream. */
  function pass(request: ClientRequest, level: Level | null, message: unknown): void {
    const { method, params } = message as JsonRpcMessage;
    if (method === 'notifications/message') logs.tell(request, level, params);
    // Revision 2026-07-28 has it no more.
    else if (method !== undefined && method !== 'notifications/elicitation/complete') request.notify(method, params);
  }

  return {
    serverLevels,
    async request(plugin, request, method, params) {
      const to = request.client.era;
      try {
        if (to === 'modern' && parked.isRetry(params)) {
          return shapeResult(method, await parked.proceed(plugin, request, method, params), 'legacy', to);
        }
        if (parked.size() > 0 && mayAsk(method)) parked.makeRoom(plugin);
        let from = eraOf(plugin);
        if (from === undefined) from = await learnEra(plugin, request);
        return await (to === 'legacy' ? forLegacy : forModern)(plugin, from, request, method, params);
      } catch (error) {
        const told = toRpcError(error, plugin, retryAtOf(plugin));
        // What a modern plugin says to a modern client is theirs.
        if (eras.get(plugin) === 'modern') throw told;
        const question = to === 'modern' && mayBeParked(method) ? questionIn(told, request.client) : null;
        if (question !== null) return question;
        throw shapeError(told, to);
      }
    },
    close() {
      for (const stop of forget) stop();
      logs.close();
      serverLevels.close();
      parked.close();
    },
  };

  /** Over HTTP each question comes on the stream of its own call: nobody waits there. */
  function isCrowded(plugin: string, parkedThere: number): boolean {
    // It may have been removed in this moment.
    if (!supervisor.list().includes(plugin)) return false;
    const { transport, inFlight } = supervisor.status(plugin);
    return transport !== 'streamable-http' && inFlight > parkedThere;
  }

  function retryAtOf(plugin: string): string | null {
    try {
      return supervisor.status(plugin).retryAt;
    } catch {
      return null;
    }
  }
}

interface Params {
  readonly _meta?: Fields;
}

const progressTokenIn = (params: unknown): unknown => (params as Params | null | undefined)?._meta?.progressToken;

/** Progress of the plugin, under the token that the client chose; by default the one that its request of the moment names. */
const progressTo =
  (current: () => ClientRequest, token?: unknown) =>
  (progress: unknown): void => {
    const request = current();
    const progressToken = token ?? progressTokenIn(request.params);
    if (progressToken !== undefined) {
      request.notify('notifications/progress', { ...(progress as object), progressToken });
    }
  };

/** What a modern server wants to know of a client with every request, from what the client said in `initialize`. */
function withEnvelope(params: unknown, { info, capabilities }: Client): Fields {
  const named = typeof info.name === 'string' && typeof info.version === 'string';
  return {
    ...(params as object),
    _meta: {
      [CAPABILITIES_KEY]: modernCapabilities(capabilities),
      ...(named ? { [CLIENT_INFO_KEY]: info } : {}),
      ...(params as Params | undefined)?._meta,
    },
  };
}
