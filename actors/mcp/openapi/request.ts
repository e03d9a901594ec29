/** The request of one tool call: every argument at its place, written as the document says. */

import { isFields } from '../../fields.ts';
import type { HttpRequest } from '../http-client.ts';
import { own } from './document.ts';
import { isForm, isJson, type Parameter } from './operation.ts';
import type { Operation } from './tools.ts';

/** An argument that can't be sent; the message names it. */
export class BadArgument extends Error {}

export function requestOf(operation: Operation, given: unknown): HttpRequest {
  if (given !== undefined && given !== null && !isFields(given))
    throw new BadArgument('the arguments must be an object');
  const values = given ?? {};
  const query: [string, string][] = [];
  const headers: Record<string, string> = { accept: 'application/json, */*;q=0.5' };
  const cookies: string[] = [];
  let { path } = operation;
  for (const parameter of operation.parameters) {
    const value = own(values, parameter.argument);
    if (value === undefined || value === null) {
      if (parameter.place === 'path') throw new BadArgument(`${parameter.argument} is missing`);
      continue;
    }
    switch (parameter.place) {
      case 'path':
        path = path.replaceAll(`{${parameter.name}}`, () => pathPart(parameter, value));
        break;
      case 'query':
        query.push(...queryPairs(parameter, value));
        break;
      case 'header':
        headers[parameter.name.toLowerCase()] = headerText(parameter, value);
        break;
      case 'cookie':
        cookies.push(...queryPairs(parameter, value).map(([name, text]) => `${name}=${encodeURIComponent(text)}`));
    }
  }
  if (cookies.length > 0) headers.cookie = cookies.join('; ');
  const search = query.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
  const [, name] = /\{([^{}]+)\}/.exec(path) ?? [];
  if (name !== undefined) throw new BadArgument(`the path wants ${name}, which the document does not describe`);
  return {
    method: operation.method,
    path: search === '' ? path : `${path}?${search}`,
    ...bodyPart(operation, values, headers),
  };
}

/** `undefined` and functions are no JSON, everything else is text in one way. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

/** `simple`, `label` or `matrix`. */
function pathPart({ argument, name, style, explode, json }: Parameter, value: unknown): string {
  const encoded = (each: unknown) => encodeURIComponent(textOf(each));
  const parts = json ? [encoded(value)] : partsOf(value, explode ? '=' : ',').map(([text]) => text);
  const joined = parts.join(style === 'label' && explode ? '.' : ',');
  const [lead, text] = style === 'label' ? ['.', joined] : style === 'matrix' ? [`;${name}=`, joined] : ['', joined];
  // Both would be another path than the one that is meant.
  if (lead === '' && (text === '' || /^\.{1,2}$/.test(text))) {
    throw new BadArgument(`${argument} can't be ${JSON.stringify(value)}: it is a part of the path`);
  }
  return lead + text;

  function partsOf(from: unknown, between: string): [string][] {
    if (Array.isArray(from)) return from.map((each) => [encoded(each)]);
    if (isFields(from)) return Object.entries(from).map(([key, each]) => [`${encoded(key)}${between}${encoded(each)}`]);
    return [[encoded(from)]];
  }
}

const DELIMITERS: Readonly<Record<string, string>> = { form: ',', spaceDelimited: ' ', pipeDelimited: '|' };

function queryPairs({ name, style, explode, json }: Parameter, value: unknown): [string, string][] {
  if (json) return [[name, JSON.stringify(value)]];
  if (Array.isArray(value)) {
    if (explode) return value.map((each) => [name, textOf(each)]);
    return [[name, value.map(textOf).join(DELIMITERS[style] ?? ',')]];
  }
  if (!isFields(value)) return [[name, textOf(value)]];
  const entries = Object.entries(value).filter(([, each]) => each !== undefined && each !== null);
  if (style === 'deepObject') {
    return entries.flatMap(([key, each]) =>
      Array.isArray(each)
        ? each.map((one): [string, string] => [`${name}[${key}]`, textOf(one)])
        : [[`${name}[${key}]`, textOf(each)] as [string, string]],
    );
  }
  if (explode) return entries.map(([key, each]) => [key, textOf(each)]);
  return [[name, entries.flatMap(([key, each]) => [key, textOf(each)]).join(',')]];
}

function headerText({ argument, explode, json }: Parameter, value: unknown): string {
  const text =
    json || !(Array.isArray(value) || isFields(value))
      ? textOf(value)
      : Array.isArray(value)
        ? value.map(textOf).join(',')
        : Object.entries(value)
            .map(([key, each]) => `${key}${explode ? '=' : ','}${textOf(each)}`)
            .join(',');
  if (/[^\t\x20-\x7e\x80-\xff]/.test(text)) throw new BadArgument(`${argument} can't be sent as a header`);
  return text;
}

function bodyPart(
  { body, parameters }: Operation,
  values: Readonly<Record<string, unknown>>,
  headers: Record<string, string>,
): Pick<HttpRequest, 'headers' | 'body'> {
  if (body === null) return { headers };
  const { contentType, properties, argument, required } = body;
  const taken = new Set(parameters.map((each) => each.argument));
  // What nobody knows goes into the body: its schema may be open.
  const own =
    properties === null
      ? values[argument]
      : Object.fromEntries(Object.entries(values).filter(([name]) => !taken.has(name)));
  const isEmpty = own === undefined || (properties !== null && isFields(own) && Object.keys(own).length === 0);
  if (isEmpty && !required) return { headers };
  const typed = { ...headers, 'content-type': contentType };
  if (isJson(contentType)) return { headers: typed, body: JSON.stringify(own ?? {}) };
  if (/^multipart\//i.test(contentType)) return multipart(own, headers);
  if (isForm(contentType)) {
    const fields = new URLSearchParams();
    for (const [name, value] of Object.entries(isFields(own) ? own : {})) {
      for (const each of [value].flat()) fields.append(name, textOf(each));
    }
    return { headers: typed, body: fields.toString() };
  }
  if (/^text\//i.test(contentType)) return { headers: typed, body: textOf(own ?? '') };
  return { headers: typed, body: Buffer.from(typeof own === 'string' ? own : '', 'base64') };
}

/** Fields as text; nothing tells a file's name. */
function multipart(value: unknown, headers: Record<string, string>): Pick<HttpRequest, 'headers' | 'body'> {
  const boundary = `mcp-supervisor-${crypto.randomUUID()}`;
  const quoted = (name: string) => name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const parts = Object.entries(isFields(value) ? value : {}).flatMap(([name, given]) =>
    [given]
      .flat()
      .map(
        (each) => `--${boundary}\r\ncontent-disposition: form-data; name="${quoted(name)}"\r\n\r\n${textOf(each)}\r\n`,
      ),
  );
  return {
    headers: { ...headers, 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: `${parts.join('')}--${boundary}--\r\n`,
  };
}
