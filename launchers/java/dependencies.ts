/** What a project's dependencies say of it: does it speak MCP, and through which framework. Written `group:artifact`. */

/** SDKs, starters and extensions carry the protocol in their name; those of clients alone say nothing of a server. */
const MCP = /modelcontextprotocol|(^|[^a-z])mcp\d?([^a-z]|4k|$)/i;
const CLIENT_ONLY = /mcp-client|mcp\.client|client-mcp|langchain4j-mcp$/i;

/** The dependency that makes it an MCP server; null when there is none. */
export const mcpDependency = (dependencies: readonly string[]): string | null =>
  dependencies.find((each) => MCP.test(each) && !CLIENT_ONLY.test(each) && /server/i.test(each)) ??
  dependencies.find((each) => MCP.test(each) && !CLIENT_ONLY.test(each)) ??
  null;

export const dependsOn = (dependencies: readonly string[], pattern: RegExp): boolean =>
  dependencies.some((each) => pattern.test(each));
