/** Globs over tool names: which tools of a plugin exist, and which of them a profile shows. */

import type { ToolDescription } from '../actors/context.ts';
import type { ToolFilter } from '../launchers/plan.ts';

export function isToolFilter(value: unknown): value is ToolFilter {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([name, globs]) =>
      (name === 'allow' || name === 'deny') &&
      Array.isArray(globs) &&
      globs.every((glob) => typeof glob === 'string' && glob !== ''),
  );
}

/** True for a name that one of `allow` matches (or there is no `allow`) and none of `deny`; never for what is no text. */
export function createToolFilter({ allow, deny = [] }: ToolFilter = {}): (name: string) => boolean {
  const allowed = allow?.map(toMatch);
  const denied = deny.map(toMatch);
  return (name) =>
    typeof name === 'string' &&
    (allowed?.some((matches) => matches(name)) ?? true) &&
    !denied.some((matches) => matches(name));
}

/** Keeps the filter of each `tools` option ready; null where there is none and everything passes. */
export function createToolFilters(): (tools: ToolFilter | undefined) => ((name: string) => boolean) | null {
  const filters = new WeakMap<ToolFilter, (name: string) => boolean>();
  return (tools) => {
    if (tools === undefined) return null;
    let filter = filters.get(tools);
    if (filter === undefined) {
      filter = createToolFilter(tools);
      filters.set(tools, filter);
    }
    return filter;
  };
}

/** The same list when nothing of it is hidden. */
export function visibleTools(
  tools: readonly ToolDescription[],
  shows: ((tool: string) => boolean) | null,
): readonly ToolDescription[] {
  if (shows === null) return tools;
  const rest = tools.filter((tool) => typeof tool?.name !== 'string' || shows(tool.name));
  return rest.length === tools.length ? tools : rest;
}

/**
 * `*` is any run of characters, everything else is itself. No pattern of RegExp: a caller may send a name of megabytes, over
 * which two `*` would go for hours.
 */
function toMatch(glob: string): (name: string) => boolean {
  const [first = '', ...between] = glob.split('*');
  const last = between.pop();
  if (last === undefined) return (name) => name === glob;
  return (name) => {
    const end = name.length - last.length;
    let at = first.length;
    if (at > end || !name.startsWith(first) || !name.endsWith(last)) return false;
    for (const part of between) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= end;
  };
}
