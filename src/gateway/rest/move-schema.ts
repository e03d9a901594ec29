/** Moves a JSON Schema to another place of a larger document: what it says of itself must still be found. */

import { isFields } from '../../../actors/fields.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Keywords whose values are data, in which a `$ref` is no reference. */
const DATA = new Set(['const', 'enum', 'default', 'example', 'examples']);
/** Keywords whose values are maps of schemas: a property may be called `$ref`. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);

/** `#/$defs/X` becomes `<pointer>/$defs/X`; its own identity and dialect are left behind. */
export function moveSchema(schema: Schema, pointer: string): Schema {
  const { $id: _id, $schema: _dialect, ...rest } = schema;
  return move(rest, pointer) as Schema;
}

function move(value: unknown, pointer: string): unknown {
  if (Array.isArray(value)) return value.map((item) => move(item, pointer));
  if (typeof value !== 'object' || value === null) return value;
  // Below an identity of its own, `#` is that one.
  if (typeof (value as Schema).$id === 'string') return value;
  const moved: Record<string, unknown> = {};
  for (const [keyword, part] of Object.entries(value)) {
    // Copied by definition: `__proto__` is a name like any other.
    Object.defineProperty(moved, keyword, {
      value: movePart(keyword, part, pointer),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return moved;
}

function movePart(keyword: string, part: unknown, pointer: string): unknown {
  if (DATA.has(keyword)) return part;
  if ((keyword === '$ref' || keyword === '$dynamicRef') && typeof part === 'string')
    return part === '#' || part.startsWith('#/') ? pointer + part.slice(1) : part;
  if (MAPS.has(keyword) && isFields(part))
    return Object.fromEntries(Object.entries(part).map(([name, schema]) => [name, move(schema, pointer)]));
  return move(part, pointer);
}
