/** What revision 2026-07-28 allows of tools and clients of the legacy era choke on: they refuse the whole answer. */

import { type Fields, isFields } from '../../../../actors/fields.ts';

/** An `outputSchema` of anything but objects is left out. The same list where there is none. */
export function legacyTools<Tool>(tools: readonly Tool[]): readonly Tool[] {
  return tools.some(hasOtherOutput) ? tools.map((tool) => (hasOtherOutput(tool) ? withoutOutput(tool) : tool)) : tools;
}

const hasOtherOutput = (tool: unknown): boolean =>
  isFields(tool) &&
  tool.outputSchema !== undefined &&
  !(isFields(tool.outputSchema) && tool.outputSchema.type === 'object');

function withoutOutput<Tool>(tool: Tool): Tool {
  const { outputSchema, ...rest } = tool as Fields;
  return rest as Tool;
}

/** A result without `structuredContent` that is no object; `content` says the same in words. */
export function legacyToolResult(result: Fields): Fields {
  if (result.structuredContent === undefined || isFields(result.structuredContent)) return result;
  const { structuredContent, ...rest } = result;
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], ...rest };
}
