/**
 * What a configuration file says, read and checked: `plugins`, `defaults`, `server` and `profiles` as below, in YAML, or in JSON
 * with comments. Besides what the types say the file takes
 * - a client's own `mcpServers`, `servers`, `mcp` or `mcp_servers` in the place of `plugins`, in that client's words: `command` with
 *   `args`, `cwd`, `env` or `environment`; `url`, `httpUrl`, `serverUrl` or `baseUrl` with `headers`; `timeout`; `enabledTools`,
 *   `includeTools`, `disabledTools`, `excludeTools` (`tools.allow`, `tools.deny`); what is unknown there is a warning, not an error;
 * - of every plugin `disabled: true` or `enabled: false`, and `envFile`: one path or several, of which `env` wins;
 * - durations as `500ms`, `30s`, `5m`, `1.5h`, `1d` beside milliseconds, `maxBody` as `16M`;
 * - a plugin that is a plain source, a token that is plain text, a profile that is a list of plugins; one word for a list of one
 *   (`allowHost`, `allowOrigin`, `plugins` of a profile); `profiles` below `server`, too.
 * Relative paths are relative to the file.
 */

import type { GatewayOptions, Profile } from '../gateway/options.ts';
import type { Defaults, PluginOptions } from '../options.ts';

/** `server:` of the file: where the gateway listens, and everything that it lets its owner say besides. */
export interface ServerOptions extends Omit<GatewayOptions, 'profiles' | 'logger'> {
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Default 7420; 0 takes a free one. */
  readonly port?: number;
}

export interface Config {
  /** Absolute; null when there is no file, which is an empty configuration. */
  readonly file: string | null;
  readonly plugins: Readonly<Record<string, PluginOptions>>;
  readonly defaults: Defaults;
  readonly profiles: Readonly<Record<string, Profile>>;
  readonly server: ServerOptions;
  /** The file says nothing at all: perhaps it is just being written. */
  readonly isBlank: boolean;
  /** Sentences about what was passed over. */
  readonly warnings: readonly string[];
}

export const emptyConfig: Config = {
  file: null,
  plugins: {},
  defaults: {},
  profiles: {},
  server: {},
  isBlank: false,
  warnings: [],
};

/** Keys from the root of the file: `['plugins', 'time', 'env']`. */
export type Path = readonly (string | number)[];

/** Collects what is said about one file. */
export interface Report {
  /** Makes the error that names file, line and key. */
  invalid(path: Path, message: string, hint?: string): Error;
  warn(path: Path, message: string): void;
}
