/** A table of addresses: literal segments and `:names`, found by walking a small tree. */

import type { HttpExchange } from '../contracts.ts';

export type Answer = (exchange: HttpExchange) => void | Promise<void>;

/** Handlers by method; HEAD is answered by GET's. */
export type Methods = { readonly [Method in 'GET' | 'POST' | 'DELETE']?: Answer };

export interface Route {
  /** `/plugins/:name/tools`; the label of its metrics. */
  readonly pattern: string;
  readonly methods: Methods;
  /** `GET, HEAD, OPTIONS`. */
  readonly allow: string;
}

interface Branch {
  readonly literal: Map<string, Branch>;
  named: Branch | null;
  route: Route | null;
}

export type FindRoute = (path: readonly string[]) => Route | undefined;

export function createRoutes(table: Readonly<Record<string, Methods>>): FindRoute {
  const root = branch();
  for (const [pattern, methods] of Object.entries(table)) {
    let at = root;
    for (const segment of segmentsOf(pattern)) at = segment.startsWith(':') ? nameless(at) : literal(at, segment);
    at.route = { pattern, methods, allow: allowOf(methods) };
  }
  return (path) => {
    let at: Branch | null = root;
    for (const segment of path) {
      at = at.literal.get(segment) ?? at.named;
      if (at === null) return undefined;
    }
    return at.route ?? undefined;
  };
}

const branch = (): Branch => ({ literal: new Map(), named: null, route: null });

function nameless(at: Branch): Branch {
  at.named ??= branch();
  return at.named;
}

function literal(at: Branch, segment: string): Branch {
  const next = at.literal.get(segment) ?? branch();
  at.literal.set(segment, next);
  return next;
}

const allowOf = (methods: Methods) =>
  [...Object.keys(methods), ...(methods.GET === undefined ? [] : ['HEAD']), 'OPTIONS'].join(', ');

const segmentsOf = (path: string) => path.split('/').filter((segment) => segment !== '');

/**
 * Path (without query) to decoded segments; a slash at the end counts for nothing. Null where an escape is none. Decoded only
 * now, segment by segment: `%2F` in a tool's name parts nothing.
 */
export function parsePath(path: string): readonly string[] | null {
  const segments = path.slice(1).split('/');
  if (segments.at(-1) === '') segments.pop();
  if (!path.includes('%')) return segments;
  try {
    return segments.map(decodeURIComponent);
  } catch {
    return null;
  }
}
