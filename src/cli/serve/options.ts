import type { Config, ServerOptions } from '../../config-file/contracts.ts';
import { configPlaces } from '../../config-file/find.ts';
import { isLoopback as isLoopbackAddress } from '../../gateway/http/caller.ts';
import type { GatewayOptions } from '../../gateway/options.ts';
import { homeOf } from '../../home.ts';

/** As commander hands them over. */
export interface ServeFlags {
  readonly json?: boolean;
  readonly port?: number;
  readonly host?: string;
  readonly config?: string;
  readonly home?: string;
  readonly auth?: 'off-loopback' | 'always';
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly detach?: boolean;
  readonly status?: boolean;
  readonly stop?: boolean;
  readonly stdio?: boolean;
  readonly profile?: string;
  readonly offline?: boolean;
  readonly verbose?: boolean;
}

/**
 * 7420: free on a usual machine. No service that people run listens there over TCP, it is none of the ports of the MCP tools
 * that may stand beside us (6274, 6277, 3000, 8000, 8080), none that browsers refuse, and below those that systems give
 * to outgoing connections.
 */
export const DEFAULT_PORT = 7420;
export const DEFAULT_HOST = '127.0.0.1';

export interface Places {
  readonly home: string;
  /** Where a configuration may stand; the first that exists counts. */
  readonly config: readonly string[];
}

export function placesOf({ home: given, config }: ServeFlags, env: NodeJS.ProcessEnv): Places {
  const home = homeOf({ home: given, env });
  return { home, config: configPlaces({ config, home, env }) };
}

/** `server:` with what the command line says laid over it. */
export const serverOf = (
  { server }: Config,
  { port, host, auth, allowHost, allowOrigin }: ServeFlags,
): ServerOptions => ({
  ...server,
  ...(port === undefined ? {} : { port }),
  ...(host === undefined ? {} : { host }),
  ...(auth === undefined ? {} : { auth }),
  ...(allowHost === undefined ? {} : { allowHost: [...(server.allowHost ?? []), ...allowHost] }),
  ...(allowOrigin === undefined ? {} : { allowOrigin: [...(server.allowOrigin ?? []), ...allowOrigin] }),
});

/** What of it the gateway wants. */
export function gatewayOptionsOf(config: Config, { host, port, ...options }: ServerOptions): GatewayOptions {
  return { ...options, profiles: config.profiles };
}

export const isLoopback = (host: string): boolean => host.toLowerCase() === 'localhost' || isLoopbackAddress(host);
