/** The operations of an OpenAPI document as tools. Pure: a document in, descriptions and the ways to make requests out. */

import type { ToolDescription } from '../../context.ts';
import { type Fields, isFields } from '../../fields.ts';
import { type OpenApiDocument, own, resolve, textOf } from './document.ts';
import { type Body, bodyOf, isJson, named, type Parameter, parametersOf } from './operation.ts';
import { createSchemaCopier, objectSchema, type SchemaCopier, set } from './schema.ts';

export interface Operation {
  readonly tool: ToolDescription;
  /** In capitals. */
  readonly method: string;
  /** With `{names}` of path parameters, behind the path of the document's server. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: Body | null;
}

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];
/** What model APIs allow of a name. */
const LONGEST_NAME = 64;

export function operationsOf(document: OpenApiDocument): readonly Operation[] {
  const { root } = document;
  const copier = createSchemaCopier(document);
  const names = new Set<string>();
  return Object.entries(isFields(root.paths) ? root.paths : {}).flatMap(([path, given]) => {
    const item = resolve(document, given);
    if (!path.startsWith('/') || !isFields(item)) return [];
    return METHODS.flatMap((method) => {
      const operation = own(item, method);
      if (!isFields(operation)) return [];
      const base = serverPath(operation.servers) ?? serverPath(item.servers) ?? serverPath(root.servers) ?? '';
      const { parameters, body } = named(
        parametersOf(document, item.parameters, operation.parameters),
        method === 'get' || method === 'head' ? null : bodyOf(document, operation.requestBody),
      );
      const output = outputSchema(document, copier, operation.responses);
      const text = textOf(operation.description) ?? textOf(operation.summary) ?? textOf(item.summary);
      const title = textOf(operation.summary);
      const tool: ToolDescription = {
        name: uniqueName(textOf(operation.operationId) ?? `${method}${path}`, names),
        ...(title !== undefined && { title }),
        description: `${text ?? `${method.toUpperCase()} ${path}`}${operation.deprecated === true ? ' (deprecated)' : ''}`,
        inputSchema: inputSchema(copier, parameters, body),
        ...(output !== null && { outputSchema: output }),
        annotations: annotationsOf(method),
      };
      return { tool, method: method.toUpperCase(), path: base + path, parameters, body };
    });
  });
}

/** As HTTP has it (RFC 9110, 9.2). */
function annotationsOf(method: string): Fields {
  if (['get', 'head', 'options'].includes(method)) return { readOnlyHint: true };
  if (method === 'delete') return { readOnlyHint: false, destructiveHint: true, idempotentHint: true };
  return { readOnlyHint: false, ...(method === 'put' && { idempotentHint: true }) };
}

/** `read item` → `read_item`; two that come out alike are numbered. */
function uniqueName(wanted: string, names: Set<string>): string {
  const plain = wanted.replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^_+|_+$/g, '') || 'operation';
  let name = plain.slice(0, LONGEST_NAME);
  for (let count = 2; names.has(name); count++) {
    const suffix = `_${count}`;
    name = plain.slice(0, LONGEST_NAME - suffix.length) + suffix;
  }
  names.add(name);
  return name;
}

/** Of the first server alone its path: where the plugin listens is known better. undefined for none. */
function serverPath(servers: unknown): string | undefined {
  const [first] = Array.isArray(servers) ? servers : [];
  const url = own(first, 'url');
  if (typeof url !== 'string') return undefined;
  const filled = url.replace(/\{([^{}]*)\}/g, (_, name: string) =>
    String(own(own(own(first, 'variables'), name), 'default') ?? ''),
  );
  if (!URL.canParse(filled, 'http://plugin/')) return undefined;
  return new URL(filled, 'http://plugin/').pathname.replace(/\/+$/, '');
}

function inputSchema(copier: SchemaCopier, parameters: readonly Parameter[], body: Body | null): Fields {
  const properties: Record<string, unknown> = {};
  const required: string[] = [];
  const add = (name: string, schema: unknown, isRequired: boolean, description: string | undefined) => {
    const copied = copier.copy(schema);
    const isDescribed = typeof copied === 'boolean' || copied.description !== undefined;
    set(properties, name, description === undefined || isDescribed ? copied : { ...copied, description });
    if (isRequired) required.push(name);
  };
  for (const { argument, schema, required: isRequired, description } of parameters) {
    add(argument, schema, isRequired, description);
  }
  if (body !== null && body.properties !== null) {
    for (const [name, schema] of Object.entries(body.properties)) {
      add(name, schema, body.required && body.requires.includes(name), undefined);
    }
  } else if (body !== null) {
    const isBytes = !isJson(body.contentType) && !/^(text\/|multipart\/|application\/x-www)/i.test(body.contentType);
    add(body.argument, isBytes ? BYTES : body.schema, body.required, body.description);
  }
  const defs = copier.takeDefs();
  return {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    ...(Object.keys(defs).length > 0 && { $defs: defs }),
  };
}

const BYTES = { type: 'string', contentEncoding: 'base64', description: 'Bytes, as base64.' };

/**
 * What every good answer is: null where one of them is no JSON, or where it isn't told what it looks like. A value that is
 * no object goes into `result`.
 */
function outputSchema(document: OpenApiDocument, copier: SchemaCopier, responses: unknown): Fields | null {
  const good = Object.entries(isFields(responses) ? responses : {})
    .filter(([status]) => /^2(\d\d|XX)$/i.test(status))
    .map(([, response]) => resolve(document, response));
  const schemas = good.map((response) => {
    const content = own(response, 'content');
    const type = isFields(content) ? Object.keys(content).find(isJson) : undefined;
    return type === undefined ? undefined : own(own(content, type), 'schema');
  });
  const [schema] = schemas;
  if (schemas.length !== 1 || !isFields(schema) || Object.keys(schema).length === 0) return null;
  const object = objectSchema(document, schema);
  const copied = copier.copy(object ?? schema);
  const defs = copier.takeDefs();
  const found = object === undefined && isOpen(document, schema) ? null : copied;
  if (found === null || typeof found === 'boolean') return null;
  return {
    ...(object === undefined
      ? { type: 'object', properties: { result: found }, required: ['result'] }
      : { ...found, type: 'object' }),
    ...(Object.keys(defs).length > 0 && { $defs: { ...defs, ...(isFields(found.$defs) ? found.$defs : {}) } }),
  };
}

/** It may be an object or something else: then nobody can say whether it goes into `result`. */
function isOpen(document: OpenApiDocument, schema: unknown): boolean {
  const found = resolve(document, schema);
  const types = [own(found, 'type')].flat();
  return own(found, 'nullable') === true || !types.every((type) => TELLING.includes(type as string));
}

const TELLING: readonly string[] = ['array', 'string', 'number', 'integer', 'boolean', 'null'];
