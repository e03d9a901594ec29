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
      new FunctionTool<unknown, Promise<string>>(async (args) => textOf(await call(args)), {
        name,
        description,
        parameters: inputSchema as never,
      }),
  );
}
