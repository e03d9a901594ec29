/** What may be said of a server that runs elsewhere. */

import type { Source } from '../launchers/plan.ts';
import type { PluginOptions } from './options.ts';

/** HTTP's own framing, and what the protocol says in them; RFC 9110's token for a name. */
const OURS =
  /^(host|connection|content-length|content-type|accept|transfer-encoding|upgrade|expect|keep-alive|te|trailer|mcp-.*|last-event-id)$/i;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export const areHeaders = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.entries(value).every(
    ([name, text]) => TOKEN.test(name) && !OURS.test(name) && typeof text === 'string' && !/[\r\n\0]/.test(text),
  );

/** How a program of ours is made and run. */
const LOCAL = [
  ...['command', 'args', 'envPolicy', 'limits', 'user', 'sandbox', 'cwd', 'port', 'install', 'build'],
  ...['allowScripts', 'endpoint'],
] as const satisfies readonly (keyof PluginOptions)[];

/** Why what its owner says of it makes no sense; null when it does. Defaults are for all plugins, and may say anything. */
export function remoteProblem({ kind }: Source, given: PluginOptions): string | null {
  if (kind !== 'remote') return given.headers === undefined ? null : "'headers' are for a 'url', and this is a source";
  const local = LOCAL.find((field) => given[field] !== undefined);
  if (local !== undefined) return `'${local}' is for what runs here, and a 'url' runs elsewhere`;
  return given.transport === 'stdio' || given.type === 'stdio'
    ? "a 'url' is reached over HTTP, not over 'stdio'"
    : null;
}

/** `http` is what others call Streamable HTTP, and many mean by it whichever of the two HTTP transports answers. */
export function transportOf({
  transport,
  type,
}: Pick<PluginOptions, 'transport' | 'type'>): PluginOptions['transport'] {
  return transport ?? (type === 'http' ? 'auto' : type);
}
