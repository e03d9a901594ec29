/** Names of tools and prompts where all plugins are behind one address: `plugin__tool`, short and plain enough for every model API. */

import { createHash } from 'node:crypto';

/** Characters that every model API takes in a tool's name; MCP itself would allow a dot. */
const STRANGE = /[^A-Za-z0-9_-]/g;
/** `_` and so many digits say which name was shortened. */
const DIGITS = 7;
/** What a plugin's own name keeps at least, when the tool's name is long as well. */
const PLUGIN_PART = 12;

/**
 * `plugin__name`, or a shortening of both with a hash behind it where that is longer than `max` or has characters that no
 * model API takes. Depends on nothing but its arguments.
 */
export function aggregatedName(plugin: string, name: string, max: number): string {
  const plain = `${plugin}__${name}`;
  return plain.length <= max && plain.search(STRANGE) < 0 ? plain : hashedName(plugin, name, max);
}

function hashedName(plugin: string, name: string, max: number): string {
  const digest = createHash('sha256').update(`${plugin}\0${name}`).digest();
  const hash = digest.readUIntBE(0, 6).toString(36).padStart(DIGITS, '0').slice(-DIGITS);
  const room = max - 2 - 1 - DIGITS;
  const ofPlugin = Math.min(plugin.length, Math.max(room - name.length, Math.min(PLUGIN_PART, room >> 1)));
  const cut = (text: string, length: number) => text.replace(STRANGE, '_').slice(0, length);
  return `${cut(plugin, ofPlugin)}__${cut(name, room - ofPlugin)}_${hash}`;
}

export interface Owned {
  readonly plugin: string;
  /** Its name at the plugin. */
  readonly name: string;
}

export interface NameTable {
  /** The name under which it is listed. */
  nameOf(plugin: string, name: string): string;
  /** What is listed under that name. */
  find(listed: string): Owned | undefined;
}

/** Two plugins can mean one name (`a` with `b__c`, `a__b` with `c`): whoever comes later gets the hash. */
export function createNameTable(owned: Iterable<Owned>, max: number): NameTable {
  const listed = new Map<string, Owned>();
  const names = new Map<string, string>();
  const key = (plugin: string, name: string) => `${plugin}\0${name}`;
  for (const { plugin, name } of owned) {
    if (names.has(key(plugin, name))) continue;
    const wanted = aggregatedName(plugin, name, max);
    const free = listed.has(wanted) ? hashedName(plugin, name, max) : wanted;
    // Two that share a hash too: a chance of one in 78 thousand million.
    if (listed.has(free)) continue;
    listed.set(free, { plugin, name });
    names.set(key(plugin, name), free);
  }
  return {
    nameOf: (plugin, name) => names.get(key(plugin, name)) ?? aggregatedName(plugin, name, max),
    find: (name) => listed.get(name),
  };
}

/** The plugins and names that a client can mean by `plugin__name` or `plugin.name`, the longest plugin's name first. */
export function readings(given: string, plugins: readonly string[]): readonly Owned[] {
  return plugins
    .filter((plugin) => given.startsWith(`${plugin}__`) || given.startsWith(`${plugin}.`))
    .sort((a, b) => b.length - a.length)
    .map((plugin) => ({ plugin, name: given.slice(plugin.length + (given[plugin.length] === '.' ? 1 : 2)) }))
    .filter(({ name }) => name !== '');
}
