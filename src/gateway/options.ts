/** What the gateway's owner says: in code (`createGateway`), and as `server:` and `profiles:` in the configuration file. */

import type { Log } from '../../actors/context.ts';
import type { ToolFilter } from '../../launchers/plan.ts';

/** A part of what there is, under a name: `/profiles/<name>/mcp`. */
export interface Profile {
  /** Globs over plugin names; default: every plugin. */
  readonly plugins?: readonly string[];
  /** Globs over `tool` and over `plugin__tool`; what the plugin itself hides stays hidden. */
  readonly tools?: ToolFilter;
}

export interface TokenOptions {
  /** The bearer token, at least 16 characters; `${env:NAME}`, `${file:path}` and `${cmd:…}` are resolved. */
  readonly token: string;
  /** The one profile that it opens; default: everything. */
  readonly profile?: string;
}

export interface GatewayOptions {
  readonly profiles?: Readonly<Record<string, Profile>>;
  /** Host names besides loopback's own under which it may be addressed (`Host` header). */
  readonly allowHost?: readonly string[];
  /** Origins of web pages that may use it; they get CORS headers. Default: none but its own. */
  readonly allowOrigin?: readonly string[];
  /** Address of the one proxy whose `X-Forwarded-*` are believed. */
  readonly trustedProxy?: string;
  /** `off-loopback` (default): a token is asked for where others can reach the socket; `always`: on loopback too. */
  readonly auth?: 'off-loopback' | 'always';
  readonly tokens?: readonly TokenOptions[];
  /** Bytes of a request's body; default 16 MiB: what a plugin may answer with it may also be sent. */
  readonly maxBody?: number;
  /** Requests per second of one principal over one second, with bursts of twice that; default: no limit. */
  readonly rateLimit?: number;
  /** Characters of an aggregated tool name; default 44, because clients put their own prefix before it (64 in all). */
  readonly maxToolName?: number;
  /** Serve legacy HTTP+SSE at `/sse` and `/plugins/:name/sse` too; default false. */
  readonly legacySse?: boolean;
  /** Path below which all addresses lie (`/tools`), where a server of the user's own hands requests on with it; default none. */
  readonly basePath?: string;
  readonly logger?: Log;
}
