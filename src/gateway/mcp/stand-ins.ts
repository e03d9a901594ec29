/** Two tools that stand for those of a plugin that nobody has seen yet; they also serve clients that don't hear `list_changed`. */

import type { ToolDescription } from '../../../actors/context.ts';
import { inOneLine } from '../../explain-status.ts';
import type { Supervisor } from '../../options.ts';
import type { KnownCatalog } from '../contracts.ts';
import { hintFor } from '../hint.ts';

export type StandIn = 'status' | 'call';

export const standIns = (plugin: string): readonly ToolDescription[] => [
  {
    name: 'status',
    description: `Tells why the tools of ${plugin} are not listed yet and what comes next. They are announced when they are there.`,
    inputSchema: { type: 'object', properties: {} },
    annotations: { readOnlyHint: true },
  },
  {
    name: 'call',
    description: `Calls a tool of ${plugin} by name, once it is ready: for when its own tools are not listed yet.`,
    inputSchema: {
      type: 'object',
      properties: {
        tool: { type: 'string', description: 'Name of the tool' },
        arguments: { type: 'object', description: 'Its arguments', additionalProperties: true },
      },
      required: ['tool'],
    },
  },
];

/** The stand-in of that name, unless the plugin has a tool of the same one. */
export function standInFor(name: unknown, catalog: KnownCatalog | null): StandIn | null {
  if (name !== 'status' && name !== 'call') return null;
  return catalog?.tools.some((tool) => tool.name === name) ? null : name;
}

/** The result of `status`: what a person would be told, and the same as data. */
export function statusResult(supervisor: Supervisor, plugin: string, catalog: KnownCatalog | null): object {
  const { state, subState, why, nextAt, failure, ...status } = supervisor.status(plugin);
  const { code = null, message = null } = failure ?? {};
  const next = hintFor(status.next);
  const hint = failure === null ? null : hintFor(failure.hint);
  const known = catalog?.tools.map(({ name }) => name) ?? null;
  const lines = [
    `${plugin}: ${state}${subState === null ? '' : ` (${subState})`}`,
    why,
    next,
    ...(hint === null || why.includes(hint) || next.includes(inOneLine(hint)) ? [] : [hint]),
    ...(known === null ? [] : [`Its tools: ${known.join(', ') || 'none'}.`]),
  ];
  return {
    content: [{ type: 'text', text: lines.filter((line) => line !== '').join('\n') }],
    structuredContent: { plugin, state, subState, why, next, nextAt, code, message, hint, tools: known },
  };
}
