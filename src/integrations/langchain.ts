/** `mcp-supervisor/langchain`: the plugins' tools for LangChain.js (`@langchain/core` 1, a peer). */

import { DynamicStructuredTool } from '@langchain/core/tools';
import type { Supervisor } from '../options.ts';
import { listTools, type ToolsOptions, textOf } from './supervised-tools.ts';

/**
 * `createAgent({ model, tools: await langchainTools(supervisor) })`. Names are `plugin__tool`; the result's text is the
 * content, the whole result the artifact. A tool's own error (`isError`) is thrown.
 */
export async function langchainTools(supervisor: Supervisor, options?: ToolsOptions): Promise<DynamicStructuredTool[]> {
  const tools = await listTools(supervisor, options);
  return tools.map(
    ({ name, description, inputSchema, call }) =>
      new DynamicStructuredTool({
        name,
        description,
        schema: inputSchema,
        responseFormat: 'content_and_artifact',
        async func(args: unknown, _run: unknown, config?: { signal?: AbortSignal }) {
          const result = await call(args, config?.signal === undefined ? {} : { signal: config.signal });
          return [textOf(result), result];
        },
      }),
  );
}
