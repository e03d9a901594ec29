/** Reads what a PHP file says about itself. */

/** Text that makes or starts an MCP server. */
const MCP =
  /\b(StdioServerTransport|StdioTransport|StreamableHttpServerTransport|StreamableHttpTransport|HttpServerTransport|StdioTransportFactory|McpServer|MCPServer|ServerRunner)\b|\bPhpMcp\\|\bMcp\\(Server|Types)|\bMCP\\|["']tools\/list["']/;

export const looksLikeServer = (text: string | undefined): boolean =>
  text !== undefined && /^(#!.*\s+)?\s*<\?php/i.test(text) && MCP.test(text);

/** True when running the file does something: it loads the project and goes on, or is made for the kernel. Class files declare only. */
export const runsItself = (text: string): boolean =>
  /^#!.*\bphp\b/.test(text) ||
  /^\s*(\$\w+|[A-Z][\w\\]*(::|\()|exit\(|\(new\s|while\s*\(|try\s*\{|if\s*\()/m.test(withoutBodies(text));

/** Code outside of classes and functions, as far as their braces stand at the line's start. */
const withoutBodies = (text: string): string =>
  text.replaceAll(
    /^\s*(?:(?:abstract|final|readonly)\s+)*(?:class|interface|trait|enum|function)\s+\w+[\s\S]*?^\}/gm,
    '',
  );

/** A file for a web server: it answers one request by what that hands to it. */
export const isWebEntry = (text: string): boolean =>
  /\bStreamableHttpTransport\b|\$_SERVER\s*\[\s*["']REQUEST_|php:\/\/input|\bHttpServerRunner\b|fromGlobals\(/.test(
    text,
  ) &&
  !/\bStdioServerTransport\b|\bStdioTransport\b|\bSTDIN\b|php:\/\/stdin|PHP_SAPI\s*===?\s*["']cli["']|StreamableHttpServerTransport/.test(
    text,
  );

export const isPhp = (file: string, text: string | undefined): boolean =>
  /\.php$/.test(file) || /^#!.*\bphp\b/.test(text ?? '');
