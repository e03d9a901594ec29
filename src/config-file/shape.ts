/** Where the servers of a file stand: under our own key, under a client's, or at the root. */

import { type Fields, isFields } from '../../actors/fields.ts';
import { closest } from '../closest.ts';
import type { Path, Report } from './contracts.ts';
import { looksLikeServer } from './plugin-entry.ts';

export interface Group {
  readonly path: Path;
  readonly entries: Fields;
  /** In a client's words: what is unknown there is no mistake of the user's. */
  readonly pasted: boolean;
}

const OURS = ['plugins', 'defaults', 'profiles', 'server'];
/** Claude and most others, VS Code, OpenCode, Codex. */
const THEIRS = ['mcpServers', 'servers', 'mcp', 'mcp_servers'];

const isServers = (value: unknown): value is Fields => {
  const entries = isFields(value) ? Object.values(value) : [];
  return entries.length > 0 && entries.every(looksLikeServer);
};

/**
 * Every group of servers of the file. A key that is none of the known ones but holds servers is taken, with a warning; a
 * file in which nothing is known is an error, so that no mistyped key ends in a gateway without plugins.
 */
export function findGroups(root: Fields, report: Report): readonly Group[] {
  const keys = Object.keys(root);
  const groups: Group[] = [];
  const take = (path: Path, entries: unknown, pasted: boolean) => {
    if (entries === undefined || entries === null) return;
    if (!isFields(entries)) throw report.invalid(path, 'expected an object of plugins by name');
    groups.push({ path, entries, pasted });
  };
  const known = keys.filter((key) => OURS.includes(key) || THEIRS.includes(key));
  if (known.length === 0 && isServers(root)) return [{ path: [], entries: root, pasted: true }];
  take(['plugins'], root.plugins, false);
  for (const key of THEIRS) {
    const value = root[key];
    // VS Code's settings have `mcp: { servers }`.
    if (isFields(value) && isFields(value.servers) && !looksLikeServer(value.servers))
      take([key, 'servers'], value.servers, true);
    else take([key], value, true);
  }
  const others = keys.filter((key) => !known.includes(key));
  const all = [...OURS, ...THEIRS.slice(0, 3)];
  for (const key of others) {
    const near = closest(key, all);
    if (groups.length === 0 && isServers(root[key])) {
      report.warn([key], `'${key}' is no key of this file; its servers are taken as 'plugins'`);
      groups.push({ path: [key], entries: root[key], pasted: true });
    } else if (OURS.some((own) => keys.includes(own)) || (known.length === 0 && near.length > 0)) {
      const hint = near.length === 0 ? `Known are ${all.join(', ')}.` : `Did you mean ${near.join(' or ')}?`;
      throw report.invalid([key], `unknown key '${key}'`, hint);
    }
    // A client's own file: its other settings are its own.
  }
  if (groups.length === 0 && known.length === 0 && others.length > 0) {
    throw report.invalid(
      [],
      `no plugins are named: expected 'plugins' or 'mcpServers', got ${others.slice(0, 5).join(', ')}`,
    );
  }
  return groups;
}
