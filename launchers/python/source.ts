/** Reads what a Python file says about itself. */

/** Text that speaks MCP as a server. */
const MCP =
  /\b(FastMCP|MCPServer|FastApiMCP|StdioServerTransport)\s*\(|\bstdio_server\s*\(|^\s*(?:from|import) (?:mcp\.server|fastmcp)\b(?!\.client)|^import mcp\b|\bmcp\.run\(|["']tools\/list["']|@\w+\.list_tools\(\)/m;
/** Text that serves HTTP. */
const WEB =
  /\buvicorn\.run\(|\b(Flask|FastAPI|Starlette|Quart|Sanic|Litestar)\s*\(|\bHTTPServer\s*\(|\bserve_forever\(|\bweb\.run_app\(/;
/** Text that calls servers. */
const CLIENT =
  /\b(ClientSession|StdioServerParameters|stdio_client|sse_client|streamablehttp_client|streamable_http_client|MultiServerMCPClient|MCPClient)\b|^from fastmcp import Client\b/m;
/** What a client has no use for, so that one who has both is a server that calls others. */
const OWN_TOOLS = /\b(FastMCP|MCPServer|FastApiMCP)\s*\(|\bstdio_server\s*\(|@\w+\.(tool|list_tools|call_tool)\b/;

const isClient = (text: string): boolean => CLIENT.test(text) && !OWN_TOOLS.test(text);

export const speaksMcp = (text: string): boolean => MCP.test(text) && !isClient(text);

export const looksLikeServer = (text: string | undefined): boolean =>
  text !== undefined && (MCP.test(text) || WEB.test(text)) && !isClient(text);

const GUARD = /^if\s+(?:__name__\s*==\s*["']__main__["']|["']__main__["']\s*==\s*__name__)/m;

/** True when running the file as a program does something: a main guard, or a run at its top level. */
export const runsItself = (text: string): boolean =>
  GUARD.test(text) || /^(?:\w+\.run|\w+\.serve_forever|main|serve|run|cli|app)\(/m.test(text);

/** True for a main guard that calls a tool or prints a result, and starts nothing: the object is to be run otherwise. */
export function isTrial(text: string): boolean {
  const guarded = text.slice(Math.max(0, text.search(GUARD)));
  return (
    mcpObjectOf(text) !== null &&
    GUARD.test(guarded) &&
    !/\.run\w*\(|\bmain\w*\(|\brun\w*\(|serve\w*\(|start\w*\(|cli\(|app\(|uvicorn|asyncio|anyio|sys\.exit|import /.test(
      guarded,
    )
  );
}

export interface McpObject {
  /** Variable that holds it, or function that makes it. */
  readonly name: string;
  readonly isFunction: boolean;
}

const MCP_OBJECT =
  /^(\w+)(?:\s*:\s*[\w.[\], "']{1,80})?\s*=\s*(?:\w+\.)*\w*(?:FastMCP|MCPServer)(?:\[[^\]]*\])?(?:\.\w+)?\(/m;
const MADE = /^(mcp|server|mcp_server)(?:\s*:\s*[\w.[\], "']{1,80})?\s*=\s*(?:create|make|build|get)_\w+\(/m;
const MAKER = /^def ((?:create|make|build|get)_\w*(?:mcp|server)\w*)\(\s*\)/m;

/** `mcp = FastMCP(…)` or `mcp = create_server()` at the top level, else a function without arguments that makes one. */
export function mcpObjectOf(text: string): McpObject | null {
  const name = MCP_OBJECT.exec(text)?.[1] ?? (speaksMcp(text) ? MADE.exec(text)?.[1] : undefined);
  if (name !== undefined) return { name, isFunction: false };
  const maker = /\b(?:FastMCP|MCPServer)(?:\[[^\]]*\])?\(/.test(text) ? MAKER.exec(text)?.[1] : undefined;
  return maker === undefined ? null : { name: maker, isFunction: true };
}

export interface WebApp {
  readonly name: string;
  readonly kind: 'asgi' | 'wsgi';
}

/** `app = FastAPI()` or `app = mcp.http_app()` at the top level; Flask apps speak WSGI, which uvicorn doesn't. */
export function webAppOf(text: string): WebApp | null {
  const match =
    /^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:\w+\.)?(FastAPI|Starlette|Quart|Litestar|Flask)\(/m.exec(text) ??
    /^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*\w+\.(http_app|streamable_http_app|sse_app|asgi_app)\(/m.exec(text) ??
    (WEB.test(text)
      ? /^(app|application|api)(?:\s*:\s*[\w.]+)?\s*=\s*((?:create|make|build|get)_\w*)\(/m.exec(text)
      : null);
  return match === null
    ? null
    : { name: match[1] ?? 'app', kind: match[2] === 'Flask' || /^from flask import/m.test(text) ? 'wsgi' : 'asgi' };
}

export interface MainFunction {
  readonly name: string;
  readonly isAsync: boolean;
}

/** `def main():` that nothing in the file calls; one that wants arguments is none. */
export function mainFunctionOf(text: string): MainFunction | null {
  const match =
    /^(async )?def (main|serve|run|run_server|start|start_server|run_mcp_server|cli)\((?:\s*|[^)=]{0,200}=[^)]{0,500})\)/m.exec(
      text,
    );
  return match === null ? null : { name: match[2] ?? 'main', isAsync: match[1] !== undefined };
}

/** True for a function of that name at the top level that has to be awaited. */
export const isAsync = (text: string, name: string): boolean => new RegExp(`^async def ${name}\\b`, 'm').test(text);
