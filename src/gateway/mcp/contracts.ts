/**
 * What the parts of the MCP face are to each other. Transports (`transports/`) carry JSON-RPC between a client and an
 * endpoint and know nothing of plugins; an endpoint (`endpoint.ts`) answers requests for one plugin, all of them or a
 * profile and knows nothing of wires; `eras/` translates where client and plugin speak different revisions.
 */

import type { ToolDescription } from '../../../actors/context.ts';

export type Era = 'legacy' | 'modern';

/**
 * One client as an endpoint sees it: in the legacy era from `initialize` to the end of its session (Streamable HTTP, SSE,
 * stdio), in the modern era one request, or one stdio connection. Created by transports.
 */
export interface Client {
  /** Unique within the process; names the client session to plugins with an instance per session. */
  readonly id: string;
  /** It is here for one request alone (modern era over HTTP): no session that anything could be kept for. */
  readonly once?: true;
  readonly era: Era;
  /** Revision that it speaks. */
  readonly protocolVersion: string;
  /** `clientInfo` as it gave it; {} when it gave none. */
  readonly info: Readonly<Record<string, unknown>>;
  /** What it can be asked, as it declared it: in `initialize`, or in this request's envelope. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** Who calls (`Principal.id`): what one principal parked or opened no other one can take up. */
  readonly principal: string;
  /**
   * A notification that belongs to no request (list_changed, resources/updated, message): to the standing stream of a legacy
   * session (kept for one that is away for a moment), to stdout. A modern client over HTTP hears only by `subscriptions/listen`.
   */
  notify(method: string, params: unknown): void;
}

/** One request of a client, with the ways to talk back while it runs. */
export interface ClientRequest {
  readonly client: Client;
  readonly method: string;
  /** Verbatim. */
  readonly params: unknown;
  /** The JSON-RPC id that the client chose; `subscriptions/listen` tags its notifications with it. */
  readonly id: string | number;
  /** The client cancelled (legacy: notifications/cancelled; modern over HTTP: it closed the stream), or is gone. */
  readonly signal: AbortSignal;
  /** Tells the client something that belongs to this request, before its answer: progress, log messages. */
  notify(method: string, params: unknown): void;
  /**
   * Asks the client something on this request's own stream (legacy era alone). Resolves with the result; rejects with RpcError.
   * `signal` withdraws the question (notifications/cancelled).
   */
  ask(method: string, params: unknown, signal?: AbortSignal): Promise<unknown>;
}

/** Answers the requests of clients. One per address: a plugin, all plugins, a profile. */
export interface Endpoint {
  /**
   * Resolves with the verbatim result; rejects with RpcError for whatever the client shall see. Takes every method,
   * `initialize`, `server/discover`, `ping` and `subscriptions/listen` (pending until its signal) among them.
   */
  handle(request: ClientRequest): Promise<unknown>;
  /** A notification of the client; `initialized` and `cancelled` are the transport's own. */
  hear(client: Client, method: string, params: unknown): void;
  /** A legacy session or a stdio connection is over. */
  leave(client: Client): void;
  /** A tool as `tools/list` shows it, if it is known without asking: transports check headers that mirror its arguments. */
  tool?(name: string): ToolDescription | undefined;
}
