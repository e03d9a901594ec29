/** Of several programs of one project, the one that is the server: by its name's likeness to the project's. */

import { basename } from './paths.ts';
import type { Source } from './plan.ts';

/** Names of helpers that ship beside a server; taken only when nothing else is left. */
const HELPER =
  /(^|[-_.])(lint|tests?|bench(mark)?|load(test)?|examples?|demo|docs?|setup|install(er)?|remove|uninstall|hooks?|proxy|inspect(or)?|dashboard|clients?|cli|admin|migrate|update|auth|login)($|[-_.])/;

const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_.\s]+/g, '-');

/** `@scope/name` → `name`. */
export const unscoped = (name: string): string => name.replace(/^@[^/]+\//, '');

/** Name of the repository or folder that a plugin comes from, '' when it has none. */
export function sourceName(source: Source): string {
  switch (source.kind) {
    case 'git':
      return lastPart(source.url).replace(/\.git$/, '');
    case 'folder':
      return lastPart(source.path);
    case 'archive':
      return archiveName(source.location);
    case 'package':
      return unscoped(source.name).replace(/\[.*$/, '');
    case 'command':
      return lastPart(source.argv[0] ?? '');
    case 'remote':
      return hostOf(source.url);
  }
}

/** `https://mcp.weather.example/mcp` → `weather`; of a numbered host all of it. */
function hostOf(url: string): string {
  const [, host = ''] = /^[a-z]+:\/\/(\[[^\]]*\]|[^/:?#]*)/i.exec(url) ?? [];
  if (/^[\d.]+$|^\[/.test(host)) return host;
  const parts = host.split('.').filter((part) => !/^(www|mcp|api|sse)$/i.test(part));
  return parts.length > 1 ? (parts.at(-2) ?? host) : (parts[0] ?? host);
}

const lastPart = (path: string): string => basename(path.replace(/[/\\]+$/, ''));

/** `…/name-1.2.mcpb` → `name-1.2`; what the big hosts pack at `…/name/archive/refs/tags/v1.zip` is `name`. */
function archiveName(location: string): string {
  const [path = ''] = location.split('?');
  const packed = /\/([^/]+)\/(?:-\/)?archive\//.exec(path)?.[1];
  return packed ?? lastPart(path).replace(/\.(zip|mcpb|dxt|tgz|tar|tar\.gz)$/i, '');
}

/**
 * Sorts names, most likely the server first: equal to one of `identities` (in their order), then containing one, then
 * `mcp`, then `server` or `stdio`; helpers last; ties keep their order.
 */
export function byIdentity(names: readonly string[], identities: readonly string[]): string[] {
  const wanted = identities.filter((identity) => identity !== '').map((identity) => plain(unscoped(identity)));
  const rank = (name: string): number => {
    const own = plain(name);
    const equal = wanted.indexOf(own);
    if (equal >= 0) return equal;
    const bare = own.replaceAll(/^mcp-|-mcp$|^server-|-server$/g, '');
    const likeness = wanted.some((identity) => identity.includes(bare))
      ? 0
      : /mcp/.test(own)
        ? 1
        : /server|stdio/.test(own)
          ? 2
          : 3;
    return (HELPER.test(own) ? 1000 : 100) + likeness;
  };
  return names
    .map((name, index) => ({ name, index, rank: rank(name) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ name }) => name);
}

/** True for a helper's name that is not the project's own. */
export const isHelper = (name: string, identities: readonly string[]): boolean =>
  HELPER.test(plain(name)) && !identities.some((identity) => plain(unscoped(identity)) === plain(name));
