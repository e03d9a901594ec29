/** Tool arguments as they are typed: `k=v`, `k:=json`, a JSON object, `-` (stdin), `@file`; later ones win. */

import { readFile } from 'node:fs/promises';
import { supervisorError } from '../errors.ts';
import type { Schema } from './schema.ts';
import { deref, shapeOf, showType, typeOf } from './schema.ts';

/** One word of the command line: either values that are known, or a text whose type the tool's schema tells. */
export type Given =
  | { readonly kind: 'object'; readonly object: Readonly<Record<string, unknown>> }
  | { readonly kind: 'value'; readonly name: string; readonly value: unknown }
  | { readonly kind: 'text'; readonly name: string; readonly text: string };

const badArguments = (message: string, hint: string, data: Readonly<Record<string, unknown>> = {}) =>
  supervisorError('CALL_BAD_ARGUMENTS', { message, hint, data });

const FORMS = 'Give name=value, name:=json, a JSON object, @file, or - for stdin.';

/** Reads every word before anything is started; CALL_NOT_JSON and CALL_BAD_ARGUMENTS name the one that is wrong. */
export async function readArguments(
  words: readonly string[],
  readStdin: () => Promise<string>,
): Promise<readonly Given[]> {
  const given: Given[] = [];
  for (const word of words) given.push(await readWord(word, readStdin));
  return given;
}

async function readWord(word: string, readStdin: () => Promise<string>): Promise<Given> {
  if (word === '-') return { kind: 'object', object: parseObject(await readStdin(), 'stdin') };
  if (word.startsWith('@'))
    return { kind: 'object', object: parseObject(await readText(word.slice(1)), word.slice(1)) };
  if (/^\s*[{[]/.test(word)) return { kind: 'object', object: parseObject(word, 'the arguments') };
  const equals = word.indexOf('=');
  if (equals < 0) throw badArguments(`'${cut(word)}' is not an argument: expected name=value or JSON.`, FORMS);
  const explicit = word[equals - 1] === ':';
  const name = word.slice(0, explicit ? equals - 1 : equals);
  const text = word.slice(equals + 1);
  if (name === '') throw badArguments(`'${cut(word)}' has no name before '='.`, FORMS);
  if (!explicit) return { kind: 'text', name, text };
  return { kind: 'value', name, value: parseJson(text, `argument '${name}'`) };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message;
    throw badArguments(`The arguments could not be read from '${path}': ${why}.`, 'Check the path after @.');
  }
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw supervisorError('CALL_NOT_JSON', {
      message: `${capital(what)}: expected JSON, got ${cut(JSON.stringify(text))} (${(error as Error).message}).`,
      hint: 'Quote JSON for the shell: \'{"name": "value"}\'; or give name=value.',
    });
  }
}

/** Also the payload of `call <source> '{…}'`. */
export const parseObject = (text: string, what: string) => requireObject(parseJson(text, what), what);

export function requireObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeOf(value) === 'object') return value as Record<string, unknown>;
  throw badArguments(`${capital(what)}: expected a JSON object, got ${typeOf(value)}.`, FORMS);
}

/** One object of all words; texts take the types of the tool's schema, and a repeated name fills an array. */
export function mergeArguments(
  given: readonly Given[],
  inputSchema: Schema | undefined,
  hint = 'Correct the named argument; name:=json passes any JSON value.',
): Readonly<Record<string, unknown>> {
  const root = inputSchema ?? {};
  const merged = new Map<string, unknown>();
  const collected = new Set<string>();
  for (const each of given) {
    if (each.kind === 'object') for (const [name, value] of Object.entries(each.object)) merged.set(name, value);
    else if (each.kind === 'value') merged.set(each.name, each.value);
    else {
      const value = typed(each, propertySchema(root, each.name), root, hint);
      const before = merged.get(each.name);
      if (collected.has(each.name) && Array.isArray(before) && Array.isArray(value))
        merged.set(each.name, [...before, ...value]);
      else merged.set(each.name, value);
      collected.add(each.name);
    }
  }
  // fromEntries defines own properties: a name such as __proto__ stays data.
  return Object.fromEntries(merged);
}

function propertySchema(root: Schema, name: string): unknown {
  const { properties, additionalProperties } = deref(root, root);
  const own = typeof properties === 'object' && properties !== null && Object.hasOwn(properties, name);
  return own ? (properties as Record<string, unknown>)[name] : additionalProperties;
}

/**
 * A text as the schema wants it. Where text is allowed it stays text: `name:=json` is the way to say otherwise.
 */
function typed({ name, text }: { name: string; text: string }, schema: unknown, root: Schema, hint: string): unknown {
  const { types, values, items } = shapeOf(schema, root);
  const listed = values?.find((value) => (typeof value === 'string' ? value : JSON.stringify(value)) === text);
  if (listed !== undefined) return listed;
  if (types.size === 0 || types.has('string')) return text;
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (types.has('number') && Number.isFinite(number)) return number;
  if (types.has('integer') && Number.isSafeInteger(number)) return number;
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (types.has('null') && text === 'null') return null;
  if (types.has('object') && /^\s*\{/.test(text)) return parseObject(text, `argument '${name}'`);
  if (types.has('array')) {
    if (/^\s*\[/.test(text)) return parseJson(text, `argument '${name}'`);
    return [typed({ name, text }, items, root, hint)];
  }
  const expected = showType(schema, root);
  throw badArguments(`Argument '${name}': expected ${expected}, got ${cut(JSON.stringify(text))}.`, hint, {
    problems: [{ argument: name, expected, got: text }],
  });
}

const cut = (text: string) => (text.length > 80 ? `${text.slice(0, 79)}…` : text);
const capital = (text: string) => text[0]?.toUpperCase() + text.slice(1);
