/** Reads what a Deno file says about itself. */

/** Text that starts or holds a server. */
const SERVER =
  /\b(McpServer|FastMCP|StdioServerTransport|StreamableHTTPServerTransport|WebStandardStreamableHTTPServerTransport|SSEServerTransport|createMcpHandler)\b|\bnew Server\(|\bDeno\.serve\(|["']tools\/list["']/;

export const looksLikeServer = (text: string | undefined): boolean => text !== undefined && SERVER.test(text);

/** What only Deno runs: its global, its import schemes, its line for the kernel. */
const DENO = /\bDeno\.\w+|\b(?:from|import)\s*\(?\s*["'](?:npm:|jsr:|https:\/\/)|^#!.*\bdeno\b/;

export const isForDeno = (text: string | undefined): boolean => text !== undefined && DENO.test(text);

/** True when running the file as a program does something. */
export const runsItself = (text: string): boolean =>
  /\bimport\.meta\.main\b|\bDeno\.serve\(|^#!|^(?:await\s+)?[\w.]+\.(?:connect|start|run|listen|serve|parse|parseAsync|start\w+)\(|^(?:await\s+)?(?:main|run|start|serve|startServer|runServer)\(|\bexport default\s*\{\s*(?:async\s+)?fetch\b/m.test(
    text,
  );

/** `#!/usr/bin/env -S deno run --allow-net` → `deno run --allow-net`; null without one. */
export const shebangOf = (text: string | undefined): string | null =>
  /^#!.*?\b(deno(?:[ \t]+[^\r\n]*)?)/.exec(text ?? '')?.[1] ?? null;
