/** Reads what a Python file says about itself. */

/** Text that starts or holds a server. */
const SERVER =
  /\b(FastMCP|MCPServer|StdioServerTransport)\s*\(|\bstdio_server\s*\(|from mcp(\.server)?[\w.]* import|import mcp\b|\bmcp\.run\(|\buvicorn\.run\(|\b(Flask|FastAPI|Starlette|Quart|Sanic)\s*\(|\bHTTPServer\s*\(|\bserve_forever\(|["']tools\/list["']/;

export const looksLikeServer = (text: string | undefined): boolean => text !== undefined && SERVER.test(text);

/** True when running the file as a program does something: a main guard, or a run at its top level. */
export const runsItself = (text: string): boolean =>
  /^if\s+__name__\s*==\s*["']__main__["']/m.test(text) ||
  /^(?:asyncio\.run|anyio\.run|uvicorn\.run|\w+\.run|\w+\.serve_forever|main|serve|run)\(/m.test(text);

export interface McpObject {
  /** Variable that holds it. */
  readonly name: string;
  /** The standalone `fastmcp` package has a program to run one; the SDK’s needs an extra. */
  readonly standalone: boolean;
}

/** `mcp = FastMCP(…)` at the top level. */
export function mcpObjectOf(text: string): McpObject | null {
  const name = /^(\w+)(?:\s*:\s*[\w.[\], ]+)?\s*=\s*(?:fastmcp\.)?(?:FastMCP|MCPServer)(?:\[[^\]]*\])?\(/m.exec(
    text,
  )?.[1];
  return name === undefined ? null : { name, standalone: /^\s*(from fastmcp\b|import fastmcp\b)/m.test(text) };
}

/** `app = FastAPI()` at the top level; Flask apps speak WSGI, which uvicorn doesn't. */
export function webAppOf(text: string): { readonly name: string; readonly kind: 'asgi' | 'flask' } | null {
  const match = /^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:\w+\.)?(FastAPI|Starlette|Quart|Flask)\(/m.exec(text);
  return match === null ? null : { name: match[1] ?? 'app', kind: match[2] === 'Flask' ? 'flask' : 'asgi' };
}
