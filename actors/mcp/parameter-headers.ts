/** Which arguments of a tool a server may have sent as headers, too (MCP 2026-07-28, Streamable HTTP, "x-mcp-header"). */

import { isFields } from '../fields.ts';

/** RFC 9110, 5.1. */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PRIMITIVES: readonly unknown[] = ['string', 'integer', 'boolean'];
/** Hold values, not schemas: what looks like an annotation there is none. */
const DATA = new Set(['default', 'examples', 'example', 'enum', 'const']);
/** Hold schemas by names of the server's choosing. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);

/** Why a tool of that schema must not be offered over Streamable HTTP; null for what is well. */
export function headerProblem(inputSchema: unknown): string | null {
  const seen = new Set<string>();

  function look(schema: unknown, reachable: boolean, isRoot: boolean): string | null {
    if (Array.isArray(schema)) return first(schema.map((each) => () => look(each, false, false)));
    if (!isFields(schema)) return null;
    const problem = 'x-mcp-header' in schema ? judge(schema, reachable && !isRoot) : null;
    if (problem !== null) return problem;
    return first(
      Object.entries(schema).map(([key, value]) => () => {
        if (DATA.has(key)) return null;
        if (!MAPS.has(key) || !isFields(value)) return look(value, false, false);
        const below = reachable && key === 'properties';
        return first(Object.values(value).map((each) => () => look(each, below, false)));
      }),
    );
  }

  function judge(schema: Readonly<Record<string, unknown>>, reachable: boolean): string | null {
    const name = schema['x-mcp-header'];
    if (typeof name !== 'string' || !TOKEN.test(name)) return `${JSON.stringify(name)} is no name of a header`;
    if (!reachable) return `${name} is not on a property that is reached through properties alone`;
    if (!PRIMITIVES.includes(schema.type)) return `${name} is on a value that is no string, integer or boolean`;
    if (seen.has(name.toLowerCase())) return `${name} is there twice`;
    seen.add(name.toLowerCase());
    return null;
  }

  return look(inputSchema, true, true);
}

function first(looks: readonly (() => string | null)[]): string | null {
  for (const look of looks) {
    const problem = look();
    if (problem !== null) return problem;
  }
  return null;
}
