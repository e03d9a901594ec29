/** What the parts of the gateway are to each other; each is built in a file of its own and joined in `gateway.ts`. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ToolDescription } from '../../actors/context.ts';
import type { Endpoint, Era } from './mcp/contracts.ts';
import type { GatewayOptions } from './options.ts';
import type { View } from './view.ts';

/** The lists of one plugin, as it gave them last; kept on disk, so that a plugin that sleeps is known. */
export interface KnownCatalog {
  /** Result of `initialize` or `server/discover`, verbatim; null for a plain HTTP plugin. */
  readonly server: Readonly<Record<string, unknown>> | null;
  readonly era: Era | null;
  readonly tools: readonly ToolDescription[];
  readonly prompts: readonly Named[];
  readonly resources: readonly Located[];
  readonly resourceTemplates: readonly Named[];
}
export interface Named {
  readonly name: string;
  readonly [key: string]: unknown;
}
export interface Located {
  readonly uri: string;
  readonly [key: string]: unknown;
}
export type ListKind = 'tools' | 'prompts' | 'resources';

/** What is known of every plugin's lists, without starting any (`catalogs.ts`). */
export interface Catalogs {
  /** The last known one; null when nothing was ever learned. Already without what the plugin's own filter hides. */
  get(plugin: string): KnownCatalog | null;
  /** Starts the plugin if it must; resolves when its lists are known, rejects with SupervisorError. */
  learn(plugin: string, options?: { readonly signal?: AbortSignal }): Promise<KnownCatalog>;
  /** Some plugin's list of that kind is another one now (a new generation, list_changed, added, removed, reconfigured). */
  onChange(listener: (plugin: string, kind: ListKind) => void): () => void;
  close(): void;
}

/** Who calls: decided by the HTTP front (token, socket), never by what the body says. */
export interface Principal {
  /** A stable word for rate limits and sessions, no secret: `local`, `token:1`, `socket`; `stdio` for a client on a pipe. */
  readonly id: string;
  readonly view: View;
}

/** One HTTP request after security: the path without query, already decoded per segment. */
export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** `['plugins', 'time', 'mcp']`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly principal: Principal;
  /** The whole body, at most `maxBody` bytes; rejects with an HttpError 413. */
  body(): Promise<Buffer>;
}

/** A MCP address of the HTTP face: carries one exchange to its end (`mcp/transports/streamable-http.ts`, `…/sse.ts`). */
export interface McpHttpFace {
  handle(exchange: HttpExchange, endpoint: Endpoint): Promise<void>;
  /** Ends every session and stream. */
  close(): void;
  /** Client sessions that are open now. */
  readonly sessions: () => number;
}

/** Endpoints by address, made at first use (`mcp/endpoints.ts`). */
export interface Endpoints {
  /** `/mcp` for that view; tools and prompts as `plugin__name`. */
  all(view: View): Endpoint;
  /** `/plugins/:name/mcp`; undefined for a plugin that is not there or that the view hides. */
  plugin(name: string, view: View): Endpoint | undefined;
  /** From now on only these views count: what nobody uses of others, and of plugins that are gone, is given up. */
  keep(isCurrent: (view: View) => boolean): void;
  close(): void;
}

/** The joined gateway (`gateway.ts`). */
export interface Gateway {
  /** Answers one request of a `node:http` server; never rejects. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly endpoints: Endpoints;
  /** What a profile shows: the same object as long as its options say the same; undefined where there is none of that name. */
  profile(name: string): View | undefined;
  /** Resolves when the tokens are known; rejects with CONFIG_REFERENCE, CONFIG_INVALID. Requests wait for it by themselves. */
  ready(): Promise<void>;
  /** Whether there are tokens: without any, nobody off loopback gets in. */
  hasTokens(): boolean;
  /**
   * From now on these are its tokens, profiles, hosts and limits; sessions that are open stay, but for those whose
   * token is none any more, or opens another part now. Rejects (CONFIG_*) when something is wrong, and then nothing changes.
   */
  update(options: GatewayOptions): Promise<void>;
  /** Ends sessions and streams; the supervisor is its owner's. */
  close(): Promise<void>;
}
