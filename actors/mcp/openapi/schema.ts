/**
 * Schemas of an OpenAPI document as JSON Schema 2020-12. References stay references: what they name goes into `$defs`, which
 * is as finite as the document, where following them need not be.
 */

import { type Fields, isFields } from '../../fields.ts';
import { type OpenApiDocument, own, resolve } from './document.ts';

export interface SchemaCopier {
  /** The schema with its references into `$defs`. */
  copy(schema: unknown): Fields | boolean;
  /** What the copies made since the last time refer to, directly or not; {} for nothing. To be put beside them. */
  takeDefs(): Fields;
}

/** Definitions that one tool carries along; what is beyond is left open, for a list of tools has to be read by a model. */
const MOST_DEFS = 100;
/** Schemas within each other, without a reference between them. */
const DEEPEST = 64;

const OPEN = { schema: true, refs: new Set<string>() } as const;

const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);
const LISTS = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const SINGLE = new Set(
  'items additionalProperties not if then else contains propertyNames unevaluatedItems unevaluatedProperties'.split(
    ' ',
  ),
);
/** Mean nothing outside of OpenAPI; an `$id` would change what references are relative to. */
const DROPPED = new Set(['discriminator', 'xml', 'externalDocs', 'nullable', 'example', '$id', '$schema', '$anchor']);

export function createSchemaCopier(document: OpenApiDocument): SchemaCopier {
  /** Names of definitions by the reference that stands for them; the same for every tool. */
  const names = new Map<string, string>();
  const taken = new Set<string>();
  /** What references stand for, and what that refers to in its turn: many tools share them. */
  const known = new Map<string, { readonly schema: Fields | boolean; readonly refs: ReadonlySet<string> }>();
  let seen = new Set<string>();

  const nameOf = (ref: string): string => {
    const given = names.get(ref);
    if (given !== undefined) return given;
    const wanted = (ref.split('/').at(-1) ?? '').replace(/[^\w.-]+/g, '_') || 'schema';
    let name = wanted;
    for (let count = 2; taken.has(name); count++) name = `${wanted}_${count}`;
    names.set(ref, name);
    taken.add(name);
    return name;
  };

  const definition = (ref: string) => {
    const made = known.get(ref);
    if (made !== undefined) return made;
    const before = seen;
    seen = new Set();
    const definition = { schema: copy(resolve(document, { $ref: ref })), refs: seen };
    seen = before;
    known.set(ref, definition);
    return definition;
  };

  function copy(schema: unknown, depth = 0): Fields | boolean {
    if (typeof schema === 'boolean') return schema;
    if (!isFields(schema) || depth > DEEPEST) return {};
    const { $ref: ref } = schema;
    const made: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(schema)) {
      if (key === '$ref' || DROPPED.has(key) || key.startsWith('x-')) continue;
      set(made, key, copyKeyword(key, value, depth + 1));
    }
    if (schema.example !== undefined && made.examples === undefined) made.examples = [schema.example];
    const referring = typeof ref === 'string' ? { ...made, ...reference(ref) } : made;
    return document.isOld ? modernised(referring, schema) : referring;
  }

  function reference(ref: string): Fields {
    if (resolve(document, { $ref: ref }) === undefined) return {};
    seen.add(ref);
    return { $ref: `#/$defs/${nameOf(ref)}` };
  }

  function copyKeyword(key: string, value: unknown, depth: number): unknown {
    if (MAPS.has(key) && isFields(value)) {
      const map: Record<string, unknown> = {};
      for (const [name, each] of Object.entries(value)) set(map, name, copy(each, depth));
      return map;
    }
    if (LISTS.has(key) && Array.isArray(value)) return value.map((each) => copy(each, depth));
    if (SINGLE.has(key) && (isFields(value) || typeof value === 'boolean')) return copy(value, depth);
    return value;
  }

  return {
    copy: (schema) => copy(schema),
    takeDefs() {
      const defs: Record<string, unknown> = {};
      const reached = seen;
      seen = new Set();
      let count = 0;
      // What one of them refers to is added behind it, and the loop comes to it.
      for (const ref of reached) {
        const { schema, refs } = count < MOST_DEFS ? definition(ref) : OPEN;
        count += 1;
        set(defs, nameOf(ref), schema);
        for (const further of refs) reached.add(further);
      }
      return defs;
    },
  };
}

/** What 3.0 says in its own way. */
function modernised(made: Fields, { nullable }: Fields): Fields {
  const schema: Record<string, unknown> = { ...made };
  for (const [flag, limit] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (typeof schema[flag] !== 'boolean') continue;
    if (schema[flag] === true && typeof schema[limit] === 'number') {
      schema[flag] = schema[limit];
      delete schema[limit];
    } else delete schema[flag];
  }
  if (nullable !== true) return schema;
  if (typeof schema.type !== 'string') return { anyOf: [schema, { type: 'null' }] };
  const { enum: values } = schema;
  return {
    ...schema,
    type: [schema.type, 'null'],
    ...(Array.isArray(values) && !values.includes(null) && { enum: [...values, null] }),
  };
}

/** Also where the name is `__proto__`. */
export const set = (target: Record<string, unknown>, name: string, value: unknown): void => {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
};

/** The schema itself where it is a reference; undefined unless it is that of an object whose properties are listed. */
export function objectSchema(document: OpenApiDocument, schema: unknown): Fields | undefined {
  const found = resolve(document, schema);
  if (!isFields(found) || own(found, 'nullable') === true) return undefined;
  const isCombined = ['allOf', 'anyOf', 'oneOf', 'not', 'if'].some((key) => own(found, key) !== undefined);
  const isObject = found.type === 'object' || (found.type === undefined && isFields(found.properties));
  return isObject && !isCombined ? found : undefined;
}
