/** What an operation takes and where each of it goes: enough to make the request of a tool call. */

import { type Fields, isFields } from '../../fields.ts';
import { type OpenApiDocument, own, resolve, textOf } from './document.ts';
import { objectSchema } from './schema.ts';

export type Place = 'path' | 'query' | 'header' | 'cookie';

export interface Parameter {
  /** Name of the tool's argument. */
  readonly argument: string;
  readonly name: string;
  readonly place: Place;
  readonly required: boolean;
  readonly schema: unknown;
  readonly description: string | undefined;
  readonly style: string;
  readonly explode: boolean;
  /** Goes as JSON, whatever the style. */
  readonly json: boolean;
}

export interface Body {
  readonly contentType: string;
  readonly required: boolean;
  readonly schema: unknown;
  readonly description: string | undefined;
  /** Its properties are arguments of their own, by these names; null: it is the one argument `body`. */
  readonly properties: Fields | null;
  /** Which of them must be there when there is a body. */
  readonly requires: readonly string[];
  /** Name of the one argument where there are no properties. */
  readonly argument: string;
}

const PLACES: readonly string[] = ['path', 'query', 'header', 'cookie'];
/** The media type and the login are no parameters (OpenAPI 3, Parameter Object); framing is HTTP's own. */
const NOT_OURS = /^(accept|content-type|authorization|host|content-length|connection|transfer-encoding)$/i;

/** Those of the operation win over those of its path. */
export function parametersOf(document: OpenApiDocument, ...lists: readonly unknown[]): readonly Parameter[] {
  const found = new Map<string, Parameter>();
  for (const list of lists) {
    for (const each of Array.isArray(list) ? list : []) {
      const parameter = readParameter(document, resolve(document, each));
      if (parameter !== null) found.set(`${parameter.place} ${parameter.name}`, parameter);
    }
  }
  return [...found.values()];
}

function readParameter(document: OpenApiDocument, given: unknown): Parameter | null {
  const [name, place] = [own(given, 'name'), own(given, 'in')];
  if (!isFields(given) || typeof name !== 'string' || name === '' || !PLACES.includes(place as string)) return null;
  if (place === 'header' && NOT_OURS.test(name)) return null;
  const [content] = isFields(given.content) ? Object.values(given.content) : [];
  const style = textOf(given.style) ?? (place === 'query' || place === 'cookie' ? 'form' : 'simple');
  return {
    argument: name,
    name,
    place: place as Place,
    required: place === 'path' || given.required === true,
    schema: own(resolve(document, content), 'schema') ?? given.schema ?? {},
    description: textOf(given.description),
    style,
    explode: typeof given.explode === 'boolean' ? given.explode : style === 'form' || style === 'deepObject',
    json: content !== undefined,
  };
}

/** What we can write, the richest first. */
const WRITTEN: readonly RegExp[] = [
  /^application\/json\b/i,
  /^[^;]*\+json\b/i,
  /^application\/x-www-form-urlencoded\b/i,
  /^multipart\/form-data\b/i,
  /^text\//i,
];

export const isForm = (type: string): boolean =>
  /^(application\/x-www-form-urlencoded|multipart\/form-data)/i.test(type);
export const isJson = (type: string): boolean => /^[^;]*[/+]json\b/i.test(type);

export function bodyOf(document: OpenApiDocument, given: unknown): Body | null {
  const body = resolve(document, given);
  if (!isFields(body) || !isFields(body.content)) return null;
  const types = Object.keys(body.content);
  const wanted = WRITTEN.flatMap((form) => types.find((type) => form.test(type)) ?? []);
  const contentType = wanted[0] ?? types[0];
  if (contentType === undefined) return null;
  const schema = own(body.content[contentType], 'schema') ?? {};
  const object = isJson(contentType) || isForm(contentType) ? objectSchema(document, schema) : undefined;
  const properties =
    isFields(object?.properties) && Object.keys(object.properties).length > 0 ? object.properties : null;
  const requires = Array.isArray(object?.required) ? object.required.filter((name) => typeof name === 'string') : [];
  return {
    // A range such as `*/*` is nothing to send.
    contentType: contentType.includes('*') ? 'application/octet-stream' : contentType,
    required: body.required === true,
    schema,
    description: textOf(body.description),
    properties,
    requires,
    argument: 'body',
  };
}

/** Every argument has a name of its own: a parameter that shares one gets its place behind it, the body keeps its own. */
export function named(
  parameters: readonly Parameter[],
  body: Body | null,
): { readonly parameters: readonly Parameter[]; readonly body: Body | null } {
  const taken = new Set(Object.keys(body?.properties ?? {}));
  const count = (name: string) => parameters.filter((each) => each.name === name).length;
  const free = (wanted: string): string => {
    let name = wanted;
    for (let tries = 2; taken.has(name); tries++) name = `${wanted}_${tries}`;
    taken.add(name);
    return name;
  };
  const told = parameters.map((each) => {
    const isShared = taken.has(each.name) || count(each.name) > 1;
    return { ...each, argument: free(isShared ? `${each.name}__${each.place}` : each.name) };
  });
  return {
    parameters: told,
    body: body !== null && body.properties === null ? { ...body, argument: free('body') } : body,
  };
}
