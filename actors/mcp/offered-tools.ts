import type { Log, ToolDescription } from '../context.ts';
import { headerProblem } from './parameter-headers.ts';

export interface OfferedToolsParts {
  /** Arguments go into headers, too: the modern era over Streamable HTTP. */
  readonly mirrored: () => boolean;
  readonly log: Log | undefined;
}

/** A tool whose arguments can't go into headers as it says must not be offered (MCP 2026-07-28); each is told of once. */
export function createOfferedTools({ mirrored, log }: OfferedToolsParts): (tool: ToolDescription) => boolean {
  const refused = new Set<string>();
  return ({ name, inputSchema }) => {
    if (!mirrored()) return true;
    const problem = headerProblem(inputSchema);
    if (problem === null) return true;
    if (!refused.has(name)) log?.warn({ tool: name, problem }, 'a tool is left out: its x-mcp-header is invalid');
    refused.add(name);
    return false;
  };
}
