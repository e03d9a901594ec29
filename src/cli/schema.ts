/** Reads just enough of a JSON Schema to type an argument and to show it to a person. */

import type { ToolDescription } from '../../actors/context.ts';

export type Schema = Readonly<Record<string, unknown>>;
type JsonType = 'string' | 'integer' | 'number' | 'boolean' | 'null' | 'array' | 'object';

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Deeper nesting of references and alternatives is shown as `any`; recursive schemas end here. */
const MAX_DEPTH = 8;

/** Follows a reference inside the document (`#/$defs/X`); others stay as they are. */
export function deref(schema: unknown, root: Schema): Schema {
  let found: unknown = schema;
  for (let hops = 0; isSchema(found) && typeof found.$ref === 'string' && hops < MAX_DEPTH; hops++) {
    const target = lookUp(root, found.$ref);
    if (target === undefined) break;
    found = target;
  }
  return isSchema(found) ? found : {};
}

/** The value at a JSON pointer (`#/a/b`, RFC 6901); undefined when there is none. */
export function lookUp(root: unknown, pointer: string): unknown {
  if (!pointer.startsWith('#')) return undefined;
  let found = root;
  for (const part of pointer.slice(1).split('/').slice(1)) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

export interface Shape {
  /** Types that it may have; empty when the schema doesn't say. */
  readonly types: ReadonlySet<JsonType>;
  /** Values of `enum` and `const`; null when it is open. */
  readonly values: readonly unknown[] | null;
  /** Schema of an array's items. */
  readonly items: Schema | null;
}

/** What a value may be, over references and alternatives. */
export function shapeOf(schema: unknown, root: Schema, depth = 0): Shape {
  const own = deref(schema, root);
  const alternatives = [...list(own.anyOf), ...list(own.oneOf), ...list(own.allOf)];
  const inner = depth < MAX_DEPTH ? alternatives.map((alternative) => shapeOf(alternative, root, depth + 1)) : [];
  const values =
    valuesOf(own) ??
    (inner.length > 0 && inner.every((shape) => shape.values) ? inner.flatMap((shape) => shape.values ?? []) : null);
  const types = new Set<JsonType>([
    ...([own.type].flat().filter((type) => typeof type === 'string') as JsonType[]),
    ...(valuesOf(own) ?? []).map(typeOf),
    ...inner.flatMap((shape) => [...shape.types]),
  ]);
  const items = isSchema(own.items) ? own.items : (inner.find((shape) => shape.items)?.items ?? null);
  return { types, values, items };
}

function valuesOf(schema: Schema): readonly unknown[] | null {
  if (Array.isArray(schema.enum)) return schema.enum;
  return 'const' in schema ? [schema.const] : null;
}

export function typeOf(value: unknown): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as JsonType;
}

/** `string`, `string[]`, `json|xml`, `integer|string`, `any`. */
export function showType(schema: unknown, root: Schema, depth = 0): string {
  const { types, values, items } = shapeOf(schema, root);
  if (values !== null && values.length > 0) {
    const texts = values.slice(0, 6).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
    return [...texts, ...(values.length > texts.length ? ['…'] : [])].join('|');
  }
  const names = [...types].filter((type) => type !== 'null').map((type) => (type === 'array' ? arrayType() : type));
  return names.join('|') || 'any';

  function arrayType() {
    if (items === null || depth >= MAX_DEPTH) return 'array';
    const inner = showType(items, root, depth + 1);
    return inner.includes('|') ? `(${inner})[]` : `${inner}[]`;
  }
}

export interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly schema: Schema;
}

/** A tool's arguments, required ones first, else in the order of the schema. */
export function parametersOf(inputSchema: Schema | undefined): readonly Parameter[] {
  const root = inputSchema ?? {};
  const schema = deref(root, root);
  const required = new Set(list(schema.required));
  const parameters = Object.entries(isSchema(schema.properties) ? schema.properties : {}).map(([name, property]) => ({
    name,
    type: showType(property, root),
    required: required.has(name),
    schema: deref(property, root),
  }));
  return [...parameters.filter((each) => each.required), ...parameters.filter((each) => !each.required)];
}

/** `echo message:string [times:integer=1]` */
export function signature(tool: { readonly name: string; readonly inputSchema?: Schema }): string {
  return [tool.name, ...parametersOf(tool.inputSchema).map(showParameter)].join(' ');
}

export function showParameter({ name, type, required, schema }: Parameter): string {
  if (required) return `${name}:${type}`;
  const simple = ['string', 'number', 'boolean'].includes(typeof schema.default) && schema.default !== '';
  return `[${name}:${type}${simple ? `=${schema.default}` : ''}]`;
}

/** Not the one tool that stands for any request to a plain HTTP service. */
export const isDescribed = ({ _meta }: ToolDescription): boolean =>
  (_meta as Readonly<Record<string, unknown>> | undefined)?.['mcp-supervisor/plainHttp'] !== true;
