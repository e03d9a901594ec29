/** Reads what a Ruby file says about itself. */

/** Text that makes or starts an MCP server. */
const MCP =
  /\b(MCP|FastMcp|FastMCP|Mcp|ModelContextProtocol|ActionMCP|VectorMCP)(::\w+)*::(Server|App|Tool)\b|\bMCP::|\bFastMcp\b|StdioTransport|StreamableHTTPTransport|["']tools\/list["']|\brequire\s*\(?["'](mcp|fast_mcp|model_context_protocol|mcp\/server|action_mcp|vector_mcp)["']/;

/** Text that serves by itself: standard input read line by line, or a web framework. */
const SERVES =
  /\b(STDIN|\$stdin)\.(each_line|gets|read|readline|each)\b|\bARGF\.each|\bwhile\s*\(?\s*\w+\s*=\s*(STDIN|\$stdin|ARGF)?\.?gets\b|\bWEBrick::|\brequire\s*["']sinatra["']|\bTCPServer\b/;

export const speaksMcp = (text: string | undefined): boolean => text !== undefined && MCP.test(text);

export const looksLikeServer = (text: string | undefined): boolean =>
  text !== undefined && (MCP.test(text) || (SERVES.test(text) && /jsonrpc|tools\//.test(text)));

/** True when running the file as a program does something: a line for the kernel, a main guard, or a start at its top level. */
export const runsItself = (text: string): boolean =>
  /^#!.*\bruby\b/.test(text) ||
  /^\s*if\s+(__FILE__\s*==\s*(\$0|\$PROGRAM_NAME)|(\$0|\$PROGRAM_NAME)\s*==\s*__FILE__)|(^|\s)if\s+__FILE__\s*==\s*(\$0|\$PROGRAM_NAME)/m.test(
    text,
  ) ||
  /^[\w:.@]+(\([^)]*\))?\.(start|run|serve|open|listen|call|start!|run!|handle|start_server)\b|^(start|run|serve|main)\b|^require\s*["']sinatra["']/m.test(
    text,
  );

export const isRuby = (file: string, text: string | undefined): boolean =>
  file.endsWith('.rb') || /^#!.*\bruby\b/.test(text ?? '');

const INLINE = /^\s*require\s*\(?\s*["']bundler\/inline["']/m;

/** Gems of a script that brings its own list (`gemfile do … gem "mcp", "1.0" … end`), as `gem install` takes them; null for others. */
export function inlineGems(text: string): string[] | null {
  if (!INLINE.test(text)) return null;
  const list = /^\s*gemfile\b[^\n]*\bdo\b([\s\S]*?)^\s*end\b/m.exec(text)?.[1] ?? '';
  return [...list.matchAll(/^\s*gem[\s(]+["']([\w.-]+)["'](?:\s*,\s*["']([^"']+)["'])?/gm)].map(
    ([, name = '', version]) => (version === undefined ? name : `${name}:${version}`),
  );
}
