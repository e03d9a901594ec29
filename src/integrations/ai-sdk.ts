/** `mcp-supervisor/ai-sdk`: the plugins' tools for Vercel's AI SDK (`ai` 5 or 6, a peer). */

import { dynamicTool, jsonSchema, type ToolSet } from 'ai';
import type { Supervisor, ToolResult } from '../options.ts';
import { listTools, type ToolsOptions, textOf } from './supervised-tools.ts';

/**
 * `generateText({ model, tools: await aiSdkTools(supervisor), … })`. Names are `plugin__tool`; a result's text goes to the
 * model, images as images. A tool's own error (`isError`) becomes an error that the model reads.
 */
export async function aiSdkTools(supervisor: Supervisor, options?: ToolsOptions): Promise<ToolSet> {
  const tools = await listTools(supervisor, options);
  return Object.fromEntries(
    tools.map(({ name, description, inputSchema, call }) => [
      name,
      dynamicTool({
        description,
        inputSchema: jsonSchema(inputSchema as Parameters<typeof jsonSchema>[0]),
        execute: (args, { abortSignal }) => call(args, abortSignal === undefined ? {} : { signal: abortSignal }),
        toModelOutput: ({ output }) => toModelOutput(output as ToolResult),
      }),
    ]),
  );
}

type ModelOutput = Awaited<ReturnType<NonNullable<Parameters<typeof dynamicTool>[0]['toModelOutput']>>>;

function toModelOutput(result: ToolResult): ModelOutput {
  const { content = [] } = result;
  if (!content.some(isImage)) return { type: 'text', value: textOf(result) };
  return {
    type: 'content',
    value: content.map((block) =>
      isImage(block)
        ? { type: 'media' as const, data: block.data, mediaType: block.mimeType }
        : { type: 'text' as const, text: block.type === 'text' ? (block.text ?? '') : JSON.stringify(block) },
    ),
  };
}

interface Image {
  readonly type: 'image';
  readonly data: string;
  readonly mimeType: string;
}

const isImage = (block: { readonly type: string; readonly [key: string]: unknown }): block is Image & typeof block =>
  block.type === 'image' && typeof block.data === 'string' && typeof block.mimeType === 'string';
