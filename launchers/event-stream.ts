/** Where a server of the older HTTP+SSE transport has its event stream, as far as its source says so. */

import type { Candidate, FileView } from './plan.ts';
import { sourceFiles } from './settings.ts';

/** Paths that the probe tries anyway. */
const USUAL = ['/sse', '/mcp/sse'];

const BY_SDK = /\bS(?:SE|se)ServerTransport\b/;
const BY_HAND = /text\/event-stream/;
const ROUTE = /(?:\.get|\bRoute)\(\s*["'`](\/[^"'`:{*\s]*)["'`]/g;

/**
 * The path of the one GET route that opens an MCP event stream, when that is not a usual one; null when there is none, or
 * when Streamable HTTP is spoken too, which is found without it.
 */
export function findEventStream(view: FileView, dir: string, start: readonly Candidate[]): string | null {
  const texts = sourceFiles(view, dir).flatMap((file) => view.read(file) ?? []);
  if (texts.some((text) => /StreamableHTTP|streamable[-_]http/i.test(text))) return null;
  const speaksByHand = texts.some((text) => /["']tools\/list["']/.test(text));
  const pathsIn = (some: readonly string[]) =>
    some.filter((text) => BY_SDK.test(text) || (speaksByHand && BY_HAND.test(text))).flatMap(streamRoutes);
  // What is started says more than helpers and trials beside it.
  const started = start.flatMap(({ entry }) => (entry === null ? [] : (view.read(entry) ?? [])));
  const [paths = []] = [pathsIn(started), pathsIn(texts)].filter(({ length }) => length > 0);
  const [only, ...more] = new Set(paths);
  return only === undefined || more.length > 0 || USUAL.includes(only) ? null : only;
}

/** Routes whose handler opens the stream; where handlers stand elsewhere, those that are named for it. */
function streamRoutes(text: string): string[] {
  const routes = [...text.matchAll(ROUTE)].map((match) => ({ path: match[1] ?? '', at: match.index }));
  const opens = routes.filter(({ at }) => {
    const next = text.slice(at + 5).search(/\n\s*(?:@?\w+\.(?:get|post|put|delete|all|use|options|listen)\(|Route\()/);
    const handler = text.slice(at, next < 0 ? at + 2000 : at + 5 + next);
    return /ServerTransport\(|connect_sse\(|text\/event-stream/.test(handler);
  });
  const named = routes.filter(({ path }) => /\/sse\/?$/.test(path));
  return (named.length > 0 ? named : opens).map(({ path }) => path);
}
