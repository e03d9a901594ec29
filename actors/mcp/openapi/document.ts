/** An OpenAPI document as somebody else wrote it: anything may be missing, of another type, or go in circles. */

import { type Fields, isFields } from '../../fields.ts';

export interface OpenApiDocument {
  readonly root: Fields;
  /** 3.0 has its own dialect of JSON Schema; 3.1 and later have the usual one. */
  readonly isOld: boolean;
}

/** Own properties alone count: a schema may be called `constructor`. */
export const own = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Fields)[key] : undefined;

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;

/** JSON of version 3; null for anything else (Swagger 2, YAML, a web page). */
export function readDocument(text: string): OpenApiDocument | null {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return null;
  }
  const version = own(root, 'openapi');
  if (!isFields(root) || typeof version !== 'string' || !/^3\./.test(version) || !isFields(root.paths)) return null;
  return { root, isOld: /^3\.0/.test(version) };
}

/** References that lead from one to the next; more are a circle. */
const MOST_HOPS = 32;

/**
 * What a value stands for: itself, or what its `$ref` points at within the document. undefined for a reference that leads
 * nowhere, in a circle, or out of the document: nothing is ever fetched.
 */
export function resolve({ root }: OpenApiDocument, value: unknown): unknown {
  let found = value;
  for (let hops = 0; hops < MOST_HOPS; hops++) {
    const ref = own(found, '$ref');
    if (typeof ref !== 'string') return found;
    found = at(root, ref);
  }
  return undefined;
}

/** A JSON pointer in a fragment, `#/components/schemas/Item`. */
function at(root: Fields, ref: string): unknown {
  if (ref === '#') return root;
  if (!ref.startsWith('#/')) return undefined;
  let found: unknown = root;
  for (const part of ref.slice(2).split('/')) {
    if (found === undefined) return undefined;
    found = own(found, decoded(part).replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return found;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
