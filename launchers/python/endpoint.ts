/** Where a Python server has its MCP endpoint, when its source puts it somewhere unusual. */

import { join } from '../paths.ts';
import type { Tree } from './tree.ts';

/** Paths that the probe tries anyway. */
const USUAL = ['/mcp', '/', '/sse'];

/** `mcp_app = mcp.http_app(path="/calendar")`: by what name, of which kind, at which path. */
const MADE = /^[ \t]*(\w+)\s*=\s*\w+\.(http_app|streamable_http_app|sse_app)\(([^()\n]{0,200})\)/gm;
/** `app.mount("/mcp", mcp_app)`, and the same with the application made in place. */
const MOUNTED =
  /(?:\.mount\(|\bMount\()\s*["'](\/[\w/.-]{0,100})["']\s*,\s*(?:app\s*=\s*)?(?:\w+\.(http_app|streamable_http_app|sse_app)\(([^()\n]{0,200})\)|(\w+))/g;
/** `mcp.run(transport="http", path="/weather")`, and the setting of the SDK. */
const RUN =
  /\.run\([^()\n]{0,200}\bpath\s*=\s*["'](\/[\w/.-]{1,100})["']|\bstreamable_http_path\s*=\s*["'](\/[\w/.-]{1,100})["']/;

/** The one unusual path that the files of a program name; null when they name none or several. */
export function findEndpoint(view: Tree, files: readonly string[]): string | null {
  const paths = files.flatMap((file) => endpointsIn(view.read(file) ?? ''));
  const [only, ...more] = new Set(paths);
  return only === undefined || more.length > 0 || USUAL.includes(only) ? null : only;
}

function endpointsIn(text: string): string[] {
  const made = new Map(
    [...text.matchAll(MADE)].map(([, name = '', kind = '', args = '']) => [name, pathOf(kind, args)]),
  );
  const mounted = [...text.matchAll(MOUNTED)].flatMap(([, at = '', kind, args = '', name = '']) => {
    const own = kind === undefined ? made.get(name) : pathOf(kind, args);
    return own === undefined ? [] : [`/${join(at, own)}`];
  });
  if (mounted.length > 0) return mounted;
  const [, run, setting] = RUN.exec(text) ?? [];
  return [run ?? setting].filter((each) => each !== undefined);
}

const pathOf = (kind: string, args: string): string =>
  /\bpath\s*=\s*["'](\/[^"']*)["']/.exec(args)?.[1] ??
  /^\s*["'](\/[^"']*)["']/.exec(args)?.[1] ??
  (kind === 'sse_app' ? '/sse' : '/mcp');
