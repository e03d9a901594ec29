/** The tools of a supervisor's plugins as agent frameworks want them: each with a name of its own and a function. */

import type { ToolDescription } from '../../actors/context.ts';
import { createNameTable } from '../gateway/mcp/names.ts';
import type { CallOptions, Supervisor, ToolResult } from '../options.ts';
import { createToolFilter } from '../tool-filter.ts';

export interface ToolsOptions {
  /** Default: every plugin that there is now. */
  readonly plugins?: readonly string[];
  /** Globs over `plugin__tool`: what doesn't pass is left out. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  /** Characters of a name; default 64, what model interfaces allow. */
  readonly maxToolName?: number;
  /** Ends the waiting for plugins that start to list their tools. */
  readonly signal?: AbortSignal;
}

export interface SupervisedTool {
  /** `plugin__tool`, shortened where it is too long. */
  readonly name: string;
  readonly plugin: string;
  readonly tool: ToolDescription;
  readonly description: string;
  /** JSON Schema of its arguments, as the plugin gave it. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  /** Resolves with the result verbatim; a tool's own error (`isError`) rejects in its words. Starts the plugin when it sleeps. */
  call(args: unknown, options?: Pick<CallOptions, 'signal' | 'timeout' | 'onProgress'>): Promise<ToolResult>;
}

const MODEL_NAME = 64;
const ANY_OBJECT = { type: 'object' } as const;

/**
 * Starts what must be started to know the tools. Rejects with the first plugin's SupervisorError: an agent must not find
 * half of its tools missing without a word.
 */
export async function listTools(
  supervisor: Supervisor,
  options: ToolsOptions = {},
): Promise<readonly SupervisedTool[]> {
  const { plugins = supervisor.list(), maxToolName = MODEL_NAME, signal } = options;
  const isWanted = createToolFilter({
    ...(options.allow === undefined ? {} : { allow: options.allow }),
    ...(options.deny === undefined ? {} : { deny: options.deny }),
  });
  const lists = await Promise.all(
    plugins.map(async (plugin) => {
      const tools = await supervisor.tools(plugin, signal === undefined ? {} : { signal });
      return tools.map((tool) => ({ plugin, tool }));
    }),
  );
  const wanted = lists.flat().filter(({ plugin, tool }) => isWanted(`${plugin}__${tool.name}`));
  const names = createNameTable(
    wanted.map(({ plugin, tool }) => ({ plugin, name: tool.name })),
    maxToolName,
  );
  return wanted.map(({ plugin, tool }) => {
    const name = names.nameOf(plugin, tool.name);
    return {
      name,
      plugin,
      tool,
      description: tool.description ?? '',
      inputSchema: tool.inputSchema ?? ANY_OBJECT,
      async call(args, callOptions) {
        const payload = { tool: tool.name, arguments: (args ?? {}) as Record<string, unknown> };
        const result = await supervisor.call(plugin, payload, callOptions);
        if (result.isError === true) throw new Error(textOf(result) || `${name} failed without a word.`);
        return result;
      },
    };
  });
}

/** What a model reads: the text of the result, other content as JSON. */
export function textOf({ content, structuredContent }: ToolResult): string {
  if (content === undefined || content.length === 0) {
    return structuredContent === undefined ? '' : JSON.stringify(structuredContent);
  }
  return content.map((block) => (block.type === 'text' ? (block.text ?? '') : JSON.stringify(block))).join('\n');
}
