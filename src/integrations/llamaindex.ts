/** `mcp-supervisor/llamaindex`: the plugins' tools for LlamaIndex.TS (`@llamaindex/core`, a peer). */

import { FunctionTool } from '@llamaindex/core/tools';
import type { Supervisor } from '../options.ts';
import { listTools, type ToolsOptions, textOf } from './supervised-tools.ts';

/**
 * `agent({ llm, tools: await llamaIndexTools(supervisor) })`. Names are `plugin__tool`; the result's text goes to the
 * model. A tool's own error (`isError`) is thrown.
 */
export async function llamaIndexTools(
  supervisor: Supervisor,
  options?: ToolsOptions,
): Promise<FunctionTool<unknown, Promise<string>>[]> {
  const tools = await listTools(supervisor, options);
  return tools.map(
    ({ name, description, inputSchema, call }) =>
      new FunctionTool<unknown, Promise<string>>(
        async (args) => {
          const result = await call(args);
          if (result.isError === true) throw new Error(textOf(result) || `${name} failed without a word.`);
          return textOf(result);
        },
        { name, description, parameters: inputSchema as never },
      ),
  );
}
